import { compiledRuntime, jsRuntime, jsTarget } from '@bpc/compiler';
import { cholesky, logDet, scan, triangularSolve } from '@bpc/core';
import { add, concat, exp, eye, matMul, mul, neg, reshape, type Scalar, slice, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { PRINTERS } from './helpers.js';

/** Covariance of a process with exponential correlations: positive definite for any distinct places. */
const covariance = (x: Float64Array, scale: number, noise: number): number[][] =>
  Array.from(x, (a, i) => Array.from(x, (b, j) => Math.exp(-Math.abs(a - b) / scale) + (i === j ? noise : 0)));

/** log |A| and y' A⁻¹ y by Gaussian elimination, and the inverse's product with y. */
function eliminated(a: readonly (readonly number[])[], y: Float64Array): { logDet: number; square: number; solution: number[] } {
  const n = y.length;
  const rows = a.map((row, i) => [...row, y[i]!]);
  let logDet = 0;
  for (let k = 0; k < n; k++) {
    logDet += Math.log(rows[k]![k]!);
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  const solution = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let rest = rows[i]![n]!;
    for (let j = i + 1; j < n; j++) rest -= rows[i]![j]! * solution[j]!;
    solution[i] = rest / rows[i]![i]!;
  }
  return { logDet, square: y.reduce((total, v, i) => total + v * solution[i]!, 0), solution };
}

/** log N(y | 0, A) without its constant, A = exp(-|xᵢ − xⱼ|/e^s) + e^t I, as a function of log scale s, log noise t and y. */
const process = ({ s, t, y }: { s: Tensor; t: Tensor; y: Tensor }, { distances }: { distances: Tensor }): Scalar => {
  const a = add(exp(neg(mul(distances, exp(neg(s))))), mul(exp(t), eye(y.size)));
  const whitened = triangularSolve(cholesky(a), y);
  return mul(-0.5, add(logDet(a), sum(square(whitened)))) as Scalar;
};

const places = (n: number) => Float64Array.from({ length: n }, (_, i) => i + 0.4 * Math.sin(3 * i));
const observed = (n: number) => Float64Array.from({ length: n }, (_, i) => Math.cos(1.3 * i) + 0.2 * i ** 0.5);
const distancesOf = (x: Float64Array) => Array.from(x, (a) => Array.from(x, (b) => Math.abs(a - b)));

describe.each(PRINTERS)('the density of a Gaussian process (%s)', (printer) => {
  it.each([1, 2, 3, 4, 5, 8, 13, 24, 25, 33, 50])('is that of Gaussian elimination, with its gradient (n = %i)', async (n) => {
    const [x, y] = [places(n), observed(n)];
    const runtime = jsRuntime({ printer });
    const density = await runtime.density(process, { s: 0, t: 0, y }, { distances: distancesOf(x) });
    const value = (s: number, t: number) => {
      const { logDet: determinant, square: quadratic } = eliminated(covariance(x, Math.exp(s), Math.exp(t)), y);
      return -0.5 * (determinant + quadratic);
    };
    const [s, t] = [0.7, -1.2];
    const gradient = new Float64Array(n + 2);
    const found = density.evaluate(Float64Array.of(s, t, ...y), gradient);
    expect(Math.abs(Number(found) - value(s, t))).toBeLessThan(1e-12 * n);
    const h = 1e-5;
    expect(Math.abs(gradient[0]! - (value(s + h, t) - value(s - h, t)) / (2 * h))).toBeLessThan(1e-8 * n);
    expect(Math.abs(gradient[1]! - (value(s, t + h) - value(s, t - h)) / (2 * h))).toBeLessThan(1e-8 * n);
    const { solution } = eliminated(covariance(x, Math.exp(s), Math.exp(t)), y);
    solution.forEach((v, i) => expect(Math.abs(gradient[i + 2]! + v)).toBeLessThan(1e-12 * n));
    await runtime.dispose();
  });

  it('is NaN where the covariance is not positive definite, and right again afterwards', async () => {
    const runtime = jsRuntime({ printer });
    const shifted = ({ a, b }: { a: Tensor; b: Tensor }) => add(logDet(add(reshape(a, [3, 3]), mul(b, eye(3)))), sum(a)) as Scalar;
    const density = await runtime.density(shifted, { a: new Float64Array(9), b: 0 });
    const a = [1, 2, 3, 2, 1, 4, 3, 4, 1];
    const gradient = new Float64Array(10);
    expect(density.evaluate(Float64Array.of(...a, 0), gradient)).toBeNaN();
    expect([...gradient].every(Number.isNaN)).toBe(true);
    const expected =
      eliminated(
        [
          [11, 2, 3],
          [2, 11, 4],
          [3, 4, 11],
        ],
        new Float64Array(3),
      ).logDet + 21;
    expect(density.evaluate(Float64Array.of(...a, 10), gradient)).toBeCloseTo(expected, 12);
    expect([...gradient].every(Number.isFinite)).toBe(true);
    await runtime.dispose();
  });

  it('may be solved with where a longer result lay before', async () => {
    const runtime = jsRuntime({ printer });
    const n = 40;
    const mapping = await runtime.mapping(
      ({ a, b }: { a: Tensor; b: Tensor }) => {
        // A somewhat longer result, done with before the right-hand side is computed, which then lies in its place.
        const longer = matMul(concat([a, slice(a, [0, 0], [n / 2, n])]), reshape(b, [n, 1]));
        const scale = add(1, sum(square(longer)));
        const right = reshape(matMul(a, reshape(mul(b, scale), [n, 1])), [n]);
        const l = cholesky(a);
        return { scale, x: triangularSolve(l, triangularSolve(l, right), { transpose: true }) };
      },
      { a: { data: new Float64Array(n * n), shape: [n, n] }, b: new Float64Array(n) },
    );
    const matrix = covariance(places(n), 3, 0.5);
    const b = observed(n);
    const out = new Float64Array(n + 1);
    mapping.evaluate(Float64Array.from([...matrix.flat(), ...b]), out);
    const scale = out[0]!;
    expect(scale).toBeGreaterThan(n);
    // A⁻¹ A (b·scale).
    b.forEach((value, i) => expect(out[i + 1]! / scale).toBeCloseTo(value, 10));
    await runtime.dispose();
  });

  it('may be factored in the body of a scan', async () => {
    const runtime = jsRuntime({ printer });
    const mapping = await runtime.mapping(
      ({ a }: { a: Tensor }) => scan((state: Tensor) => [add(cholesky(state), eye(5))], a, undefined, { length: 3 })[0],
      { a: { data: new Float64Array(25), shape: [5, 5] } },
    );
    const a = Float64Array.from({ length: 25 }, (_, e) => (e % 6 === 0 ? 9 : 0));
    const out = new Float64Array(25);
    mapping.evaluate(a, out);
    out.forEach((v, e) => expect(v).toBeCloseTo(e % 6 === 0 ? Math.sqrt(Math.sqrt(3 + 1) + 1) + 1 : 0, 14));
    await runtime.dispose();
  });
});

describe('a program that factors', () => {
  const lowered = async (n: number, printer: (typeof PRINTERS)[number]) => {
    const sources: string[] = [];
    const runtime = compiledRuntime({ target: jsTarget({ printer, onSource: (source) => sources.push(source) }) });
    const [x, y] = [places(n), observed(n)];
    await runtime.density(process, { s: 0, t: 0, y }, { distances: distancesOf(x) });
    await runtime.dispose();
    return sources.join('\n').length;
  };

  it.each(PRINTERS)('is as long for large matrices as for larger ones (%s)', async (printer) => {
    const [medium, large] = [await lowered(70, printer), await lowered(120, printer)];
    expect(Math.abs(large - medium)).toBeLessThan(0.05 * medium);
  });

  it('gives equal factors on every printer, bit for bit', async () => {
    const n = 40;
    const results = await Promise.all(
      PRINTERS.map(async (printer) => {
        const mapping = await jsRuntime({ printer }).mapping(
          ({ a }: { a: Tensor }) => {
            const l = cholesky(reshape(a, [n, n]));
            return { l, x: triangularSolve(l, sub(reshape(a, [n, n]), 1)) };
          },
          { a: new Float64Array(n * n) },
        );
        const out = new Float64Array(2 * n * n);
        mapping.evaluate(Float64Array.from(covariance(places(n), 3, 0.1).flat()), out);
        return [...out];
      }),
    );
    expect(results[0]!.every(Number.isFinite)).toBe(true);
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });
});
