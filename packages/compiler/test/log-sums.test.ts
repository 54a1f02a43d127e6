import { type JsTargetOptions, jsRuntime, trace } from '@bpc/compiler';
import type { HostTree } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { generate } from '../src/targets/js/assemble.js';
import { lowerGraph } from '../src/targets/js/lower.js';
import { PRINTERS, random } from './helpers.js';

type Named = Readonly<Record<string, Tensor>>;

/** The value of a density where its parameters are. */
async function evaluate(options: JsTargetOptions, logDensity: (p: Named) => Tensor, at: HostTree): Promise<number> {
  const runtime = jsRuntime(options);
  const density = await runtime.density(logDensity as (p: Named) => Scalar, at);
  const position = Float64Array.from(Object.values(at as Record<string, Float64Array>).flatMap((values) => [...values]));
  const value = Number(density.evaluate(position, new Float64Array(density.size)));
  await runtime.dispose();
  return value;
}

/** Neumaier's sum: exact to the last digit for these lengths. */
function exactSum(values: Iterable<number>): number {
  let [sum, lost] = [0, 0];
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}

const log1pOfDecay = (z: number): number => Math.log1p(Math.exp(-Math.abs(z)));
const logSum = ({ z }: Named): Tensor => tf.sum(tf.log1p(tf.exp(tf.neg(tf.abs(z!)))));
const softplusSum = ({ z }: Named): Tensor => tf.sum(tf.softplus(z!));

/** Arguments of a softplus by what they make of the product: the steepest growth, none at all, and everything between. */
const ARGUMENTS: Readonly<Record<string, (i: number) => number>> = {
  'all zero': () => 0,
  'all equal': () => -3.7,
  'small and equal': () => -6.9,
  'from −700 to 700': (i) => 700 * Math.sin(i * i),
  'around zero': (i) => 3 * Math.sin(i * 1.7),
  'far below zero': (i) => -690 - 10 * Math.abs(Math.sin(i)),
  'far below zero, but for one': (i) => (i === 17 ? -1 : -200 + 10 * Math.cos(i)),
  'of sums near 1e-10': (i) => -30 - Math.abs(Math.sin(i)),
};
const LENGTHS = [33, 64, 255, 1000, 1023, 5000];

describe.each(PRINTERS)('a sum of log1p(e^−|z|) (%s)', (printer) => {
  it.each(Object.entries(ARGUMENTS))('has the digits of the exact one where arguments are %s', async (_, argument) => {
    for (const length of LENGTHS) {
      const z = Float64Array.from({ length }, (__, i) => argument(i));
      const want = exactSum(z.map(log1pOfDecay));
      expect(Math.abs((await evaluate({ printer }, logSum, { z })) / want - 1), `${length} rows`).toBeLessThan(1e-14);
    }
  });

  it('is NaN where an argument is, and follows infinite ones', async () => {
    const at = (value: number, length = 203, i = length - 1) => Float64Array.from({ length }, (_, k) => (k === i ? value : -2));
    const rest = 202 * log1pOfDecay(-2);
    for (const [length, i] of [
      [203, 202],
      [203, 0],
      [5000, 1],
    ])
      expect(await evaluate({ printer }, softplusSum, { z: at(Number.NaN, length, i) }), `row ${i} of ${length}`).toBeNaN();
    expect(await evaluate({ printer }, softplusSum, { z: at(Number.POSITIVE_INFINITY) })).toBe(Number.POSITIVE_INFINITY);
    expect(await evaluate({ printer }, softplusSum, { z: at(Number.NEGATIVE_INFINITY) })).toBeCloseTo(rest, 10);
  });

  it('is taken out of sums and differences with whatever sign it has', async () => {
    const z = Float64Array.from({ length: 150 }, (_, i) => 5 * Math.sin(i));
    const positive = exactSum(z.map((v) => Math.max(v, 0) + log1pOfDecay(v)));
    const negative = exactSum(z.map((v) => Math.max(-v, 0) + log1pOfDecay(v)));
    const cases: [(z: Tensor) => Tensor, number][] = [
      [(x) => tf.sub(tf.softplus(x), x), negative],
      [(x) => tf.sub(x, tf.softplus(x)), -negative],
      [(x) => tf.neg(tf.add(tf.softplus(x), tf.softplus(tf.neg(x)))), -positive - negative],
      [(x) => tf.sub(tf.softplus(x), tf.sub(x, tf.softplus(tf.neg(x)))), 2 * negative],
      [(x) => tf.mul(2, tf.softplus(x)), 2 * positive],
      [(x) => tf.mul(x, tf.softplus(x)), exactSum(z.map((v) => v * (Math.max(v, 0) + log1pOfDecay(v))))],
    ];
    for (const [f, want] of cases)
      expect(Math.abs((await evaluate({ printer }, (p) => tf.sum(f(p['z']!)), { z })) / want - 1), String(f)).toBeLessThan(1e-13);
  });

  it.each([
    [40, 67],
    [700, 5],
    [3, 2001],
  ])('does not overflow over %i×%i loops whose products grow most', async (rows, columns) => {
    // Two loops stay two: one operand varies along each.
    const logDensity = ({ a, b }: Named) => tf.sum(tf.softplus(tf.add(tf.reshape(a!, [rows, 1]), tf.reshape(b!, [1, columns]))));
    const value = await evaluate({ printer }, logDensity, { a: new Float64Array(rows), b: new Float64Array(columns) });
    expect(Math.abs(value / (rows * columns * Math.LN2) - 1)).toBeLessThan(1e-13);
  });
});

describe('a sum of log1p(e^−|z|) in float32', () => {
  it.each(['all zero', 'all equal', 'small and equal', 'around zero'] as const)(
    'has float32 digits where arguments are %s',
    async (name) => {
      for (const length of LENGTHS) {
        const z = Float64Array.from({ length }, (_, i) => Math.fround(ARGUMENTS[name]!(i)));
        const want = exactSum(z.map(log1pOfDecay));
        const value = await evaluate({ printer: 'wasm', precision: 'float32' }, logSum, { z });
        expect(Math.abs(value / want - 1), `${length} rows`).toBeLessThan(2e-6);
      }
    },
  );

  it('does not overflow over loops in loops', async () => {
    const logDensity = ({ a, b }: Named) => tf.sum(tf.softplus(tf.add(tf.reshape(a!, [40, 1]), tf.reshape(b!, [1, 67]))));
    const options = { printer: 'wasm', precision: 'float32' } as const;
    const value = await evaluate(options, logDensity, { a: new Float64Array(40), b: new Float64Array(67) });
    expect(Math.abs(value / (40 * 67 * Math.LN2) - 1)).toBeLessThan(1e-6);
  });
});

it('has the same bits from the interpreter as from JavaScript', async () => {
  const z = Float64Array.from({ length: 3001 }, (_, i) => 3 * Math.sin(i));
  const [compiled, interpreted] = await Promise.all(
    (['javascript', 'interpreter'] as const).map((printer) => evaluate({ printer }, softplusSum, { z })),
  );
  expect(interpreted).toBe(compiled);
});

describe('the loop program', () => {
  const reductionsOf = (fn: (z: Tensor) => Tensor): string[] =>
    lowerGraph(trace(fn, [random([200])]).graph).items.flatMap((each) =>
      each.kind === 'loop' ? each.roots.flatMap((root) => (root.kind === 'total' ? [root.reduce] : [])) : [],
    );

  it('keeps a product only for logarithms of 1 to 2 that are added or subtracted', () => {
    expect(reductionsOf((z) => tf.sum(tf.softplus(z)))).toEqual(['Sum', 'SumLog1p']);
    expect(reductionsOf((z) => tf.sum(tf.sub(tf.mul(z, 3), tf.softplus(z)))).sort()).toEqual(['Sum', 'SumLog1p']);
    expect(reductionsOf((z) => tf.sum(tf.log1p(z)))).toEqual(['Sum']);
    expect(reductionsOf((z) => tf.sum(tf.log1p(tf.square(z))))).toEqual(['Sum']);
    expect(reductionsOf((z) => tf.sum(tf.mul(z, tf.softplus(z))))).toEqual(['Sum']);
    expect(reductionsOf((z) => tf.max(tf.softplus(z)))).toEqual(['Max']);
  });

  it('needs a logarithm only where a product is large, and at the end', () => {
    const { source } = generate(lowerGraph(trace((z: Tensor) => tf.sum(tf.softplus(z)), [random([200])]).graph));
    expect(source.match(/Math\.log1p/g)).toHaveLength(2);
    expect(source).toMatch(/if\(a\d+p>1e\+?300\)\{a\d+\+=Math\.log1p/);
  });
});
