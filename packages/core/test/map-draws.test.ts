import './support/backend.js';
import { disposeTree, grad, key, mapDraws, normal, type Runtime } from '@bpc/core';
import { add, memory, mul, type Scalar, square, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runtimes } from './support/runtimes.js';

const stacked = { a: normal(key(1), [4, 2, 3]), b: normal(key(2), [4]) };
const f = ({ a, b }: { readonly a: Tensor; readonly b: Tensor }) => ({ norm: sum(square(a)), scaled: mul(a, b) });
const values = { a: Array.from(stacked.a.dataSync()), b: Array.from(stacked.b.dataSync()) };
const row = (draw: number) => values.a.slice(6 * draw, 6 * draw + 6);
const norms = [0, 1, 2, 3].map((draw) => row(draw).reduce((total, x) => total + x * x, 0));
const scaled = [0, 1, 2, 3].flatMap((draw) => row(draw).map((x) => x * (values.b[draw] ?? Number.NaN)));

const expectClose = (found: Tensor, expected: readonly number[]) => {
  const numbers = Array.from(found.dataSync());
  expect(numbers).toHaveLength(expected.length);
  numbers.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5));
};

describe.each(runtimes)('a function of every draw, on %s', (_, makeRuntime) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await makeRuntime();
  });
  afterAll(() => runtime.dispose());

  it('sees one draw at a time, in their order, and stacks what it gives', async () => {
    const program = runtime.compile((draws: typeof stacked) => mapDraws(draws, f));
    const before = memory().numTensors;
    const result = await program(stacked);
    expect(result.norm.shape).toEqual([4]);
    expect(result.scaled.shape).toEqual([4, 2, 3]);
    await Promise.all([result.norm.data(), result.scaled.data()]);
    expectClose(result.norm, norms);
    expectClose(result.scaled, scaled);
    disposeTree(result);
    expect(memory().numTensors).toBe(before);
    await program.dispose();
  });

  it('is differentiated in what it shares between draws', async () => {
    const program = runtime.compile((draws: typeof stacked, shared: Tensor) =>
      grad((s: Tensor) => sum(mapDraws(draws, ({ b }) => sum(mul(square(s), add(b, 2))))) as Scalar)(shared),
    );
    const shared = tensor1d([1, -3]);
    const result = await program(stacked, shared);
    const total = values.b.reduce((sumOf, b) => sumOf + b + 2, 0);
    await result.data();
    expectClose(result, [2 * total, -6 * total]);
    disposeTree([shared, result]);
    await program.dispose();
  });
});
