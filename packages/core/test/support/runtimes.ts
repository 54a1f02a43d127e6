import { onnxRuntime } from '@bpc/backend-onnx';
import type { Runtime } from '@bpc/core';
import { eagerRuntime } from '@bpc/core';
import * as ort from 'onnxruntime-node';

/** Runtimes on which results must agree with the references. */
export const runtimes: readonly (readonly [string, () => Runtime | Promise<Runtime>])[] = [
  ['tfjs cpu, eagerly', () => eagerRuntime()],
  ['ONNX Runtime, compiled', () => onnxRuntime({ ort, threads: 1 })],
];
