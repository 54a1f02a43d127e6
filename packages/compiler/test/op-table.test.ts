import { jsRuntime, trace } from '@bpc/compiler';
import type { Runtime, Tree } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { setBackend } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PRINTERS } from './helpers.js';
import { interpret } from './interpreter.js';
import { type Expected, expectAgreement, expectedOf, list } from './op-table/check.js';
import { opTable } from './op-table.js';

await setBackend('cpu');

const numbers = (x: Tensor): Expected => ({ data: Array.from(x.dataSync()), shape: x.shape, dtype: x.dtype });

describe.each(PRINTERS)('the js target agrees with eager tfjs (%s)', (printer) => {
  let runtime: Runtime;
  beforeAll(() => {
    runtime = jsRuntime({ printer });
  });
  afterAll(() => runtime.dispose());

  it.each(opTable.filter(({ except }) => except?.js === undefined))('$name', async (operation) => {
    const args = operation.args();
    const program = runtime.compile((...inputs: Tensor[]): Tree => list(operation.run(...inputs)));
    const found = (await program(...args)) as Tensor[];
    expectAgreement(found.map(numbers), expectedOf(operation, args), operation);
    await program.dispose();
  });
});

describe('the definitions of the graph agree with eager tfjs', () => {
  it.each(opTable.filter(({ except }) => except?.interpreter === undefined))('$name', (operation) => {
    const args = operation.args();
    const { graph } = trace((...inputs: Tensor[]): Tree => list(operation.run(...inputs)), args);
    const found = interpret(
      graph,
      args.map((x) => x.dataSync()),
    ).map((data, i): Expected => {
      const { dtype, shape } = graph.outputs[i]!;
      return { data: data.map((v) => (dtype === 'int32' ? v | 0 : Math.fround(v))), shape, dtype };
    });
    expectAgreement(found, expectedOf(operation, args), operation);
  });
});

it('the comparison can fail: by value, by NaN, by dtype and by shape', () => {
  const operation = opTable[0]!;
  const expected: Expected[] = [{ data: [1, Number.NaN], shape: [2], dtype: 'float32' }];
  for (const wrong of [{ data: [1.001, Number.NaN] }, { data: [1, 0] }, { dtype: 'int32' }, { shape: [1, 2] }]) {
    expect(() => expectAgreement([{ ...expected[0]!, ...wrong }], expected, operation)).toThrow();
  }
  expectAgreement(expected, expected, operation);
});
