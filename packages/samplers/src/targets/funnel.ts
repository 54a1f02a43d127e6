import { constant, hostNormal } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { add, exp, mul, neg, slice, square, sum } from '@tensorflow/tfjs-core';
import { checkWhole } from '../check.js';
import { real } from '../transforms/index.js';
import { checkNumbers } from './check.js';
import type { KnownTarget } from './known-target.js';

/** Options of `funnelTarget`. */
export interface FunnelTargetOptions {
  /** d ≥ 2 numbers in all. Default 10, as in the paper. */
  readonly size?: number;
  /** s > 0, the standard deviation of the first. Default 3, as in the paper. */
  readonly scale?: number;
}

/**
 * Neal's funnel (Neal 2003, section 8): `x₀ ~ N(0, s²)`, the others `N(0, exp x₀)` given it, x `[d]`.
 *
 * No step size suits both its mouth and its neck: samplers that are not adapted to it miss the neck, and report divergences.
 * Variances s² and exp(s²/2); the latter is made by so rare draws that a sample does not show it.
 *
 * @throws ConfigError unless `size` is a whole number ≥ 2 and `scale` > 0.
 * @example
 * ```ts
 * import { key } from '@bpc/core';
 * import { funnelTarget } from '@bpc/samplers';
 * const { draw, moments } = funnelTarget({ size: 4 });
 * const exact = draw(key(0), 1000);
 * ```
 */
export function funnelTarget({ size = 10, scale = 3 }: FunnelTargetOptions = {}): KnownTarget {
  checkWhole('size', size, 2);
  checkNumbers('scale', [scale], 1, true);
  const variance = new Float64Array(size).fill(Math.exp(scale ** 2 / 2));
  variance[0] = scale ** 2;
  return {
    parameters: { x: real([size]) },
    logDensity: ({ x }) => {
      const first = sum(slice(x, [0], [1]));
      const squares = sum(square(slice(x, [1], [size - 1])));
      const rest = add(mul(squares, exp(neg(first))), mul(first, size - 1));
      return mul(add(mul(square(first), constant(1 / scale ** 2)), rest), -0.5) as Scalar;
    },
    moments: { mean: new Float64Array(size), variance },
    draw: (key, count) => {
      const out = Float64Array.from(hostNormal(key, count * size));
      for (let start = 0; start < out.length; start += size) {
        const first = scale * (out[start] ?? 0);
        out[start] = first;
        for (let i = start + 1; i < start + size; i++) out[i] = (out[i] ?? 0) * Math.exp(first / 2);
      }
      return out;
    },
  };
}
