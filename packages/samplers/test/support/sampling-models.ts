import { createHash } from 'node:crypto';
import { add, div, log, mul, neg, type Scalar, square, sub, sum } from '@tensorflow/tfjs-core';
import type { Draws } from '../../src/index.js';
import { positive, real, target } from '../../src/index.js';

/** Eight schools, non-centred: two scalars, a vector and a derived vector, of which one is positive. */
export const eightSchools = target({
  parameters: { tau: positive(), mu: real(), school: { z: real([8]) } },
  data: { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] },
  logDensity: ({ mu, tau, school: { z } }, { y, sigma }) => {
    const theta = add(mu, mul(tau, z));
    const terms = [square(div(sub(y, theta), sigma)), square(z)].map((x) => mul(sum(x), -0.5));
    const prior = add(mul(square(div(mu, 5)), -0.5), neg(log(add(1, square(div(tau, 5))))));
    return terms.reduce((total, term) => add(total, term), prior) as Scalar;
  },
  derived: ({ mu, tau, school: { z } }) => ({ theta: add(mu, mul(tau, z)) }),
});

/** N(1, 2²) × N(−1, 0.5²). */
export const gaussian = target({
  parameters: { x: real(), y: real() },
  logDensity: ({ x, y }) => add(mul(square(div(sub(x, 1), 2)), -0.5), mul(square(div(add(y, 1), 0.5)), -0.5)) as Scalar,
});

const digest = (array: Float64Array): string =>
  `${array.length}:${createHash('sha1')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex')}`;

/** What is equal if and only if all numbers of two runs are, to the last bit. */
export const numbersOf = ({ values, statistics, unconstrained, warmup, length }: Draws): object => ({
  ...Object.fromEntries([...Object.entries(values), ...Object.entries(statistics)].map(([name, array]) => [name, digest(array)])),
  unconstrained: digest(unconstrained),
  length,
  ...(warmup === undefined ? {} : { warmup: numbersOf(warmup) }),
});

/** Mean and standard deviation. */
export function moments(values: Float64Array): { readonly mean: number; readonly sd: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, sd: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1)) };
}
