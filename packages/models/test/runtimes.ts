import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { onnxRuntime } from '@bpc/backend-onnx';
import { jsRuntime } from '@bpc/compiler';
import type { Runtime } from '@bpc/core';
import { eagerRuntime } from '@bpc/core';
import { setBackend } from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';

/** Results come back as tensors of whatever tfjs backend is set, so every runtime states its own. */
async function on(backend: string, make: () => Runtime | Promise<Runtime>): Promise<Runtime> {
  await setBackend(backend);
  return make();
}

/** Runtimes on which results must agree with the references. */
export const runtimes: readonly (readonly [string, () => Promise<Runtime>])[] = [
  ['tfjs cpu, eagerly', () => on('cpu', () => eagerRuntime())],
  ['tfjs wasm, eagerly', () => on('wasm', () => eagerRuntime())],
  ['JavaScript, compiled', () => on('cpu', () => jsRuntime())],
  ['ONNX Runtime, compiled', () => on('cpu', () => onnxRuntime({ ort, threads: 1 }))],
];
