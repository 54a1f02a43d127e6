import { onnxRuntime } from '@bpc/backend-onnx';
import type { Runtime, Tree } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { setBackend } from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Expected, expectAgreement, expectedOf, list } from '../../compiler/test/op-table/check.js';
import { opTable } from '../../compiler/test/op-table.js';
import { provider } from './graphs.js';

await setBackend('cpu');

const numbers = (x: Tensor): Expected => ({ data: Array.from(x.dataSync()), shape: x.shape, dtype: x.dtype });

describe('ONNX Runtime agrees with eager tfjs', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await onnxRuntime({ ort, threads: 1, executionProviders: [provider] });
  });
  afterAll(() => runtime.dispose());

  it.each(opTable.filter(({ except }) => except?.onnx === undefined))('$name', async (operation) => {
    const args = operation.args();
    const program = runtime.compile((...inputs: Tensor[]): Tree => list(operation.run(...inputs)));
    const found = (await program(...args)) as Tensor[];
    expectAgreement(found.map(numbers), expectedOf(operation, args), operation);
    await program.dispose();
  });
});
