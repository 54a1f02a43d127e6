import { constant, hostNormal } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { add, mul, slice, square, sub, sum } from '@tensorflow/tfjs-core';
import { real } from '../transforms/index.js';
import { checkNumbers } from './check.js';
import type { KnownTarget } from './known-target.js';

/** Options of `bananaTarget`. */
export interface BananaTargetOptions {
  /** b: how bent it is, 0 for a normal distribution. Default 0.1. */
  readonly curvature?: number;
  /** s > 0: how long it is. Default 3. */
  readonly scale?: number;
}

/**
 * A bent normal distribution (Haario, Saksman & Tamminen 1999), x `[2]`: `x₀ ~ N(0, s²)`, `x₁ = b(x₀² − s²) + N(0, 1)`.
 *
 * `log p = −½ (x₀²/s² + (x₁ − b(x₀² − s²))²)`: of the form of Rosenbrock's function, with moments that are known: mean 0,
 * variances s² and 1 + 2b²s⁴.
 *
 * @throws ConfigError unless `curvature` is finite and `scale` > 0.
 * @example
 * ```ts
 * import { key } from '@bpc/core';
 * import { bananaTarget } from '@bpc/samplers';
 * const { draw, moments } = bananaTarget({ curvature: 0.2 });
 * const exact = draw(key(0), 1000);
 * ```
 */
export function bananaTarget({ curvature = 0.1, scale = 3 }: BananaTargetOptions = {}): KnownTarget {
  checkNumbers('curvature', [curvature], 1);
  checkNumbers('scale', [scale], 1, true);
  return {
    parameters: { x: real([2]) },
    logDensity: ({ x }) => {
      const [first, second] = [sum(slice(x, [0], [1])), sum(slice(x, [1], [1]))];
      const straight = sub(second, mul(sub(square(first), constant(scale ** 2)), constant(curvature)));
      return mul(add(mul(square(first), constant(1 / scale ** 2)), square(straight)), -0.5) as Scalar;
    },
    moments: { mean: new Float64Array(2), variance: Float64Array.of(scale ** 2, 1 + 2 * curvature ** 2 * scale ** 4) },
    draw: (key, count) => {
      const out = Float64Array.from(hostNormal(key, count * 2));
      for (let i = 0; i < out.length; i += 2) {
        const first = scale * (out[i] ?? 0);
        out[i] = first;
        out[i + 1] = (out[i + 1] ?? 0) + curvature * (first ** 2 - scale ** 2);
      }
      return out;
    },
  };
}
