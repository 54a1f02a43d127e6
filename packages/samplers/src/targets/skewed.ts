import { hostUniform } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { exp, mul, sub, sum } from '@tensorflow/tfjs-core';
import { checkWhole } from '../check.js';
import { real } from '../transforms/index.js';
import type { KnownTarget } from './known-target.js';

/** Options of `skewedTarget`. */
export interface SkewedTargetOptions {
  /** a, a whole number ≥ 1: the smaller, the more skewed. Default 1, skewness −1.14. */
  readonly shape?: number;
  /** d, how many independent numbers. Default 1. */
  readonly size?: number;
}

const EULER = 0.5772156649015329;

/**
 * Logarithms of gamma variables with shape a: `log p(x) = Σ (a x_i − exp x_i)`, x `[d]`, skewed to the left. Symmetric targets
 * hide errors of sign.
 *
 * Mean ψ(a) and variance ψ′(a); with a = 1, minus a Gumbel variable: −0.5772 and π²/6.
 *
 * @throws ConfigError unless `shape` and `size` are whole numbers ≥ 1.
 * @example
 * ```ts
 * import { skewedTarget } from '@bpc/samplers';
 * console.log(skewedTarget({ shape: 2 }).moments.mean); // [0.4228]
 * ```
 */
export function skewedTarget({ shape = 1, size = 1 }: SkewedTargetOptions = {}): KnownTarget {
  checkWhole('shape', shape, 1);
  checkWhole('size', size, 1);
  let [mean, variance] = [-EULER, Math.PI ** 2 / 6];
  for (let k = 1; k < shape; k++) {
    mean += 1 / k;
    variance -= 1 / k ** 2;
  }
  return {
    parameters: { x: real([size]) },
    logDensity: ({ x }) => sum(sub(mul(x, shape), exp(x))) as Scalar,
    moments: { mean: new Float64Array(size).fill(mean), variance: new Float64Array(size).fill(variance) },
    draw: (key, count) => {
      // A gamma variable of whole shape is a sum of exponential ones; 1 − u is never 0.
      const uniforms = hostUniform(key, count * size * shape);
      return Float64Array.from({ length: count * size }, (_, i) => {
        let gamma = 0;
        for (let k = 0; k < shape; k++) gamma -= Math.log(1 - (uniforms[i * shape + k] ?? 0));
        return Math.log(gamma);
      });
    },
  };
}
