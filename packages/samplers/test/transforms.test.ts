import { jsRuntime } from '@bpc/compiler';
import type { FlatMapping } from '@bpc/core';
import {
  choleskyCorrelation,
  choleskyCovariance,
  constrainTree,
  interval,
  lowerBounded,
  ordered,
  type Parameter,
  positive,
  positiveOrdered,
  real,
  simplex,
  unconstrainedLike,
  upperBounded,
} from '@bpc/samplers';
import { add, memory, mul, type Scalar, sum, type Tensor, tensor } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { assert, double, array as fcArray, property } from 'fast-check';
import { describe, expect, it } from 'vitest';

const runtime = jsRuntime();
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const all = (): boolean => true;
/** Rows and columns of a square matrix's k-th entry. */
const at = (n: number, test: (i: number, j: number) => boolean) => (k: number) => test(Math.floor(k / n), k % n);

/** Every transform, with the entries of the value that a density is a density of: the others follow from them. */
const cases: readonly (readonly [name: string, parameter: Parameter, free: (k: number) => boolean])[] = [
  ['real()', real(), all],
  ['real([2, 2])', real([2, 2]), all],
  ['positive()', positive(), all],
  ['positive([3])', positive([3]), all],
  ['lowerBounded(-2)', lowerBounded(-2), all],
  ['lowerBounded(0.1, [2])', lowerBounded(0.1, [2]), all],
  ['upperBounded(3)', upperBounded(3), all],
  ['upperBounded(0, [2])', upperBounded(0, [2]), all],
  ['interval(0, 1)', interval(0, 1), all],
  ['interval(-1, 1, [2])', interval(-1, 1, [2]), all],
  ['interval(-3, 0.1, [2, 1])', interval(-3, 0.1, [2, 1]), all],
  ['ordered(1)', ordered(1), all],
  ['ordered(4)', ordered(4), all],
  ['ordered(3, [2])', ordered(3, [2]), all],
  ['positiveOrdered(3)', positiveOrdered(3), all],
  ['positiveOrdered(2, [2])', positiveOrdered(2, [2]), all],
  ['simplex(2)', simplex(2), (k) => k % 2 < 1],
  ['simplex(5)', simplex(5), (k) => k % 5 < 4],
  ['simplex(3, [2])', simplex(3, [2]), (k) => k % 3 < 2],
  ['choleskyCorrelation(2)', choleskyCorrelation(2), at(2, (i, j) => j < i)],
  ['choleskyCorrelation(4)', choleskyCorrelation(4), at(4, (i, j) => j < i)],
  ['choleskyCovariance(1)', choleskyCovariance(1), all],
  ['choleskyCovariance(3)', choleskyCovariance(3), at(3, (i, j) => j <= i)],
];

/** Value and log-Jacobian at u, in float64. */
async function constrained(parameter: Parameter): Promise<(u: Float64Array) => { value: Float64Array; logJacobian: number }> {
  const program = (u: Tensor) => ({ ...parameter.constrain(u) });
  const mapping: FlatMapping = await runtime.mapping(program, unconstrainedLike(parameter));
  const out = new Float64Array(mapping.outputSize);
  return (u) => {
    mapping.evaluate(u, out);
    // Canonical order: logJacobian, value.
    return { logJacobian: out[0]!, value: out.slice(1) };
  };
}

/** log |det| by elimination with pivots. */
function logDeterminant(rows: number[][]): number {
  let total = 0;
  const left = rows.map((row) => [...row]);
  for (let column = 0; column < rows.length; column++) {
    left.splice(column, left.length, ...left.slice(column).sort((a, b) => Math.abs(b[column]!) - Math.abs(a[column]!)));
    const pivot = left[column]![column]!;
    total += Math.log(Math.abs(pivot));
    for (const row of left.slice(column + 1)) {
      const factor = row[column]! / pivot;
      row.forEach((_, k) => {
        row[k]! -= factor * left[column]![k]!;
      });
    }
  }
  return total;
}

const unconstrainedOf = ({ unconstrainedShape }: Parameter, bound: number) =>
  fcArray(double({ min: -bound, max: bound, noNaN: true }), {
    minLength: sizeOf(unconstrainedShape),
    maxLength: sizeOf(unconstrainedShape),
  }).map((u) => Float64Array.from(u));

const shaped = (parameter: Parameter, data: Float64Array) => ({ data, shape: parameter.shape });

describe.each(cases)('%s', (_, parameter, free) => {
  it('comes back from its support: unconstrain(constrain(u)) = u', async () => {
    const constrain = await constrained(parameter);
    assert(
      property(unconstrainedOf(parameter, 4), (u) => {
        const back = parameter.unconstrain(shaped(parameter, constrain(u).value));
        expect(back).toHaveLength(u.length);
        u.forEach((want, k) => expect(Math.abs(back[k]! - want)).toBeLessThan(1e-11 * Math.exp(8)));
      }),
      { numRuns: 50 },
    );
  });

  it('has the log-Jacobian of finite differences', async () => {
    const constrain = await constrained(parameter);
    const step = 2e-3;
    const moved = (u: Float64Array, j: number, by: number) => constrain(u.map((x, k) => (k === j ? x + by * step : x))).value;
    assert(
      property(unconstrainedOf(parameter, 2.5), (u) => {
        const columns = Array.from(u, (__, j) => {
          const [a, b, c, d, e, f] = [-3, -2, -1, 1, 2, 3].map((by) => moved(u, j, by)) as [
            Float64Array,
            Float64Array,
            Float64Array,
            Float64Array,
            Float64Array,
            Float64Array,
          ];
          // Sixth order: errors of 1e-12 and less.
          return Array.from(a, (___, k) => (f[k]! - a[k]! - 9 * (e[k]! - b[k]!) + 45 * (d[k]! - c[k]!)) / (60 * step)).filter((___, k) =>
            free(k),
          );
        });
        expect(columns.every((column) => column.length === u.length)).toBe(true);
        const expected = logDeterminant(columns);
        expect(Math.abs(constrain(u).logJacobian - expected)).toBeLessThan(1e-8 * (1 + Math.abs(expected)));
      }),
      { numRuns: 25 },
    );
  });

  it('has a finite log-Jacobian and gradient where values are at their limits: |u| = 700', async () => {
    // The value takes part, so that a gradient that is NaN by way of it shows; tamed, because exp 700 summed is no density.
    const density = await runtime.density((u: Tensor) => {
      const { value, logJacobian } = parameter.constrain(u);
      return add(mul(sum(value), 1e-300), logJacobian) as Scalar;
    }, unconstrainedLike(parameter));
    for (const far of [700, -700]) {
      const gradient = new Float64Array(density.size);
      const value = density.evaluate(new Float64Array(density.size).fill(far), gradient);
      expect(Number.isFinite(value), `log-Jacobian at ${far}`).toBe(true);
      expect(gradient.every(Number.isFinite), `gradient at ${far}: ${gradient}`).toBe(true);
    }
    await density.dispose();
  });

  it('gives the same eagerly in float32, and leaves no tensor behind', async () => {
    const constrain = await constrained(parameter);
    const u = Float64Array.from({ length: sizeOf(parameter.unconstrainedShape) }, (__, k) => Math.sin(3 * k + 1));
    const before = memory().numTensors;
    const input = tensor(Float32Array.from(u), [...parameter.unconstrainedShape], 'float32');
    const { values, logJacobian } = constrainTree(parameter, input);
    expect(memory().numTensors - before).toBe(3);
    const expected = constrain(u);
    expect(values.shape).toEqual(parameter.shape);
    values.dataSync().forEach((x, k) => expect(Math.abs(x - expected.value[k]!)).toBeLessThan(1e-5));
    expect(Math.abs(logJacobian.dataSync()[0]! - expected.logJacobian)).toBeLessThan(1e-5);
    for (const each of [input, values, logJacobian]) each.dispose();
  });
});

describe('supports', () => {
  const values = async (parameter: Parameter, u: number[]) => [...(await constrained(parameter))(Float64Array.from(u)).value];

  it('keep all digits next to a bound of zero', async () => {
    expect((await values(interval(0, 1), [-300]))[0]).toBeCloseTo(Math.exp(-300), 140);
    const [negative] = await values(interval(-1, 0), [300]);
    expect(negative! / -Math.exp(-300)).toBeCloseTo(1, 12);
    expect((await values(upperBounded(0), [-300]))[0]! / -Math.exp(-300)).toBeCloseTo(1, 12);
  });

  it('keep digits of correlations next to 1: the diagonal is sech u, not a difference', async () => {
    const L = await values(choleskyCorrelation(2), [40]);
    expect(L[2]).toBe(1);
    expect(L[3]! / (2 * Math.exp(-40))).toBeCloseTo(1, 12);
    const [u] = choleskyCorrelation(2).unconstrain({ data: Float64Array.from(L), shape: [2, 2] });
    expect(u).toBeCloseTo(40, 10);
  });

  it('bounds that tfjs would round to float32 are exact', async () => {
    const third = 1 / 3;
    expect((await values(lowerBounded(third), [-800]))[0]).toBe(third);
    expect((await values(interval(third, 2), [-800]))[0]).toBe(third);
  });

  it('rows of a simplex sum to 1 and are uniform at 0', async () => {
    const x = await values(simplex(4, [2]), [0, 0, 0, 3, -20, 11]);
    x.slice(0, 4).forEach((share) => expect(share).toBeCloseTo(0.25, 15));
    expect(x.slice(4).reduce((a, b) => a + b)).toBeCloseTo(1, 14);
  });

  it('a simplex of two is the interval (0, 1) at √2 u', async () => {
    const pair = (await constrained(simplex(2)))(Float64Array.of(0.7));
    const single = (await constrained(interval(0, 1)))(Float64Array.of(0.7 * Math.SQRT2));
    expect(pair.value[0]).toBeCloseTo(single.value[0]!, 14);
    expect(pair.logJacobian).toBeCloseTo(single.logJacobian + Math.log(Math.SQRT2), 14);
  });

  it('factors of correlations have rows of length 1', async () => {
    const L = await values(choleskyCorrelation(3), [0.5, -2, 1.5]);
    for (let i = 0; i < 3; i++) expect(Math.hypot(...L.slice(3 * i, 3 * i + 3))).toBeCloseTo(1, 14);
    expect([L[1], L[2], L[5]]).toEqual([0, 0, 0]);
  });
});
