import { ConfigError, constant, foldIn, hostNormal, hostUniform, logSumExp } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { add, mul, square, sub, sum } from '@tensorflow/tfjs-core';
import { real } from '../transforms/index.js';
import { checkNumbers } from './check.js';
import type { KnownTarget } from './known-target.js';

/** Options of `mixtureTarget`: K round normal distributions in d dimensions. */
export interface MixtureTargetOptions {
  /** K means of d numbers. */
  readonly means: readonly (readonly number[])[];
  /** K standard deviations > 0, 1 by default. */
  readonly scales?: readonly number[];
  /** K weights > 0, which are normalised. Equal by default. */
  readonly weights?: readonly number[];
}

/**
 * A mixture of round normal distributions: `log p(x) = log Σ_k w_k N(x; μ_k, s_k² I)`, x `[d]`.
 *
 * Far modes are where chains that move locally stay: their R-hat says so, one chain alone does not.
 *
 * @throws ConfigError without components, or on scales and weights that are not positive; ShapeError if lengths differ.
 * @example
 * ```ts
 * import { mixtureTarget } from '@bpc/samplers';
 * const { moments } = mixtureTarget({ means: [[-2], [2]], weights: [1, 3] });
 * ```
 */
export function mixtureTarget(options: MixtureTargetOptions): KnownTarget {
  const { means } = options;
  const [count, size] = [means.length, means[0]?.length ?? 0];
  if (count === 0 || size === 0) throw new ConfigError('means is empty, expected at least one mean', 'pass one mean per component');
  means.forEach((mean, k) => checkNumbers(`means[${k}]`, mean, size));
  const { scales = means.map(() => 1), weights: given = means.map(() => 1) } = options;
  checkNumbers('scales', scales, count, true);
  checkNumbers('weights', given, count, true);
  const total = given.reduce((a, b) => a + b);
  const weights = given.map((weight) => weight / total);
  const average = (of: (k: number) => number) => weights.reduce((sum_, weight, k) => sum_ + weight * of(k), 0);
  const mean = Float64Array.from({ length: size }, (_, i) => average((k) => means[k]?.[i] ?? 0));
  const variance = mean.map((m, i) => average((k) => (scales[k] ?? 0) ** 2 + ((means[k]?.[i] ?? 0) - m) ** 2));
  const offsets = Float64Array.from(weights, (weight, k) => Math.log(weight) - size * Math.log(scales[k] ?? 1));
  const factors = Float64Array.from(scales, (scale) => -0.5 / scale ** 2);
  return {
    parameters: { x: real([size]) },
    logDensity: ({ x }) => {
      const distances = sum(square(sub(x, constant(means))), 1);
      return logSumExp(add(mul(distances, constant(factors)), constant(offsets))) as Scalar;
    },
    moments: { mean, variance },
    draw: (key, draws) => {
      const [chosen, noise] = [hostUniform(foldIn(key, 0), draws), hostNormal(foldIn(key, 1), draws * size)];
      return Float64Array.from(noise, (xi, j) => {
        let [k, left] = [0, chosen[Math.floor(j / size)] ?? 0];
        while (k < count - 1 && left >= (weights[k] ?? 0)) left -= weights[k++] ?? 0;
        return (means[k]?.[j % size] ?? 0) + (scales[k] ?? 0) * xi;
      });
    },
  };
}
