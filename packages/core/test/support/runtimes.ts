import { onnxRuntime } from '@bpc/backend-onnx';
import { jsRuntime } from '@bpc/compiler';
import type { Runtime } from '@bpc/core';
import { eagerRuntime } from '@bpc/core';
import * as ort from 'onnxruntime-node';
import { testBackend } from './backend.js';

/** Runtimes on which results must agree with the references; all but the first compile. */
export const runtimes: readonly (readonly [string, () => Runtime | Promise<Runtime>])[] = [
  [`tfjs ${testBackend}, eagerly`, () => eagerRuntime()],
  ['JavaScript, compiled', () => jsRuntime()],
  ['ONNX Runtime, compiled', () => onnxRuntime({ ort, threads: 1 })],
];
