import { type Algorithm, ConfigError, cloneTree, constant, normalLike, scope, type Tree, treeMap, valueAndGrad } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, div, greater, mul, neg, onesLike, sqrt, square, sub, where, zerosLike } from '@tensorflow/tfjs-core';
import { checkFraction, checkFunction, checkPositive, checkWhole } from '../check.js';
import { show } from '../show.js';
import { hessianDiagonal } from './hessian-diagonal.js';
import { addScaled } from './leapfrog.js';
import {
  checkPosition,
  checkSetting,
  densityOf,
  firstStep,
  fresh,
  type LogDensityOptions,
  nextStep,
  type Setting,
  settingAt,
  tensorOf,
} from './settings.js';

/** Options of `psgld`. */
export interface PsgldOptions<P extends Tree> extends LogDensityOptions<P> {
  /** λ > 0; a schedule gets the step, counted from 0. */
  readonly stepSize: Setting;
  /** T ≥ 0, 1 by default. */
  readonly temperature?: Setting;
  /** α in [0, 1], the weight of the past in V. Default 0.99, as in the paper; at 1 the preconditioner never changes. */
  readonly decay?: number;
  /** δ > 0, which bounds G by 1/δ. Default 1e-5, as in the paper. */
  readonly floor?: number;
  /** N: V averages (g/N)², the square of the gradient per point, as in the paper. Default 1. */
  readonly size?: number;
  /** Whether to drop the drift correction Γ, as the paper and other libraries do, or to compute it. Default `'none'`. */
  readonly correction?: 'none' | 'exact';
}

/** Position of the chain, V, and the number of steps so far (int32). */
export type PsgldState<P extends Tree> = { readonly position: P; readonly squares: P; readonly step: Scalar };

/** log p (or its estimate) before the step, and the λ and T of the step. */
export type PsgldInfo = { readonly logDensity: Scalar; readonly stepSize: Scalar; readonly temperature: Scalar };

/**
 * Γ = ∂G/∂θ with the old V held fixed: −G²·(1 − α)·g·(∂g/∂θ)/(N²√V), leaf by leaf; 0 where V is. `weight` is (1 − α)/N².
 */
function driftCorrection<P extends Tree>(gradient: P, curvature: P, squares: P, preconditioner: P, weight: Tensor): P {
  return treeMap(
    (g, h, v, scale) => {
      const root = sqrt(v);
      const safe = where(greater(root, 0), root, onesLike(root));
      return neg(mul(square(scale), div(mul(mul(g, h), weight), safe)));
    },
    gradient,
    curvature,
    squares,
    preconditioner,
  );
}

/**
 * One step with its noise ξ ~ N(0, I), a tree like the position, given.
 *
 * `noise` may be left out when T is the number 0. Arguments are borrowed; results are fresh tensors.
 *
 * @throws ConfigError if T > 0 and there is no noise; ShapeError if log p is no scalar.
 */
export function psgldStep<P extends Tree>(
  { position, squares, step }: PsgldState<P>,
  noise: P | undefined,
  options: PsgldOptions<P>,
  data?: Tree,
): readonly [PsgldState<P>, PsgldInfo] {
  const { stepSize, temperature = 1, decay = 0.99, floor = 1e-5, size = 1, correction = 'none' } = options;
  if (noise === undefined && temperature !== 0) {
    throw new ConfigError('temperature is not 0 but there is no noise', 'pass standard normal noise');
  }
  return scope(() => {
    const density = densityOf(options, data);
    const { value, grad } = valueAndGrad(density)(position);
    const [lambda, heat] = [settingAt(stepSize, step), settingAt(temperature, step)];
    const keep = tensorOf(decay);
    const weight = div(sub(1, keep), constant(size ** 2));
    const averaged = treeMap((v, g) => add(mul(v, keep), mul(square(g), weight)), squares, grad);
    const preconditioner = treeMap((v) => div(1, add(sqrt(v), tensorOf(floor))), averaged);
    const steered = treeMap((g, scale) => mul(g, scale), grad, preconditioner);
    const drift =
      correction === 'none'
        ? steered
        : addScaled(steered, driftCorrection(grad, hessianDiagonal(density, position), averaged, preconditioner, weight), heat);
    const moved = addScaled(position, drift, lambda);
    const spread = sqrt(mul(mul(lambda, heat), 2));
    const shaken =
      noise === undefined ? moved : treeMap((x, xi, scale) => add(x, mul(mul(xi, sqrt(scale)), spread)), moved, noise, preconditioner);
    return [
      { position: shaken, squares: averaged, step: nextStep(step) },
      { logDensity: value, stepSize: fresh(lambda), temperature: fresh(heat) },
    ] as const;
  });
}

/**
 * Stochastic-gradient Langevin dynamics preconditioned as RMSprop does (Li, Chen, Carlson & Carin 2016, algorithm 1).
 *
 * `V ← αV + (1 − α)(g/N)²`, `G = 1/(δ + √V)`, `θ ← θ + λ(G g + T Γ) + √(2λT G)·ξ`, with g = ∇log p(θ; data) and V = 0 at
 * first. The paper's ε is 2λ/N here.
 *
 * *The drift correction.* G depends on θ, so that a Langevin diffusion with this metric needs the drift Γ_i = ∂G_i/∂θ_i; without
 * it the law is bent towards where G is small.
 * - `correction: 'none'` drops it, as the paper does in practice; its bias is of order 1 − α, not of order λ.
 * - `correction: 'exact'` differentiates the update above with the old V held fixed:
 *   `Γ_i = −G_i² (1 − α) g_i H_ii/(N² √V_i)`, H the Hessian of log p. H_ii costs a Hessian–vector product per number: for small
 *   models.
 *
 * V also remembers past positions, which neither choice corrects: as with every adaptive chain the law is exact, for λ → 0, only
 * where V forgets at once (α = 0, corrected) or never changes (α = 1).
 *
 * @throws ConfigError on options outside their domains; `init` throws ShapeError for a position with integers.
 * @example
 * ```ts
 * import { mul, square, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
 * import { jsRuntime } from '@bpc/compiler';
 * import { foldIn, key } from '@bpc/core';
 * import { psgld } from '@bpc/samplers';
 * const { init, step } = psgld({ logDensity: (x: Tensor) => mul(sum(square(x)), -0.5), stepSize: 0.01, floor: 0.1 });
 * const program = jsRuntime().compile(step);
 * let state = init(tensor1d([1, 2]), key(0));
 * for (let i = 0; i < 10; i++) [state] = await program(foldIn(key(1), i), state);
 * ```
 */
export function psgld<P extends Tree>(options: PsgldOptions<P>): Algorithm<P, PsgldState<P>, PsgldInfo> {
  const { logDensity, stepSize, temperature = 1, decay = 0.99, floor = 1e-5, size = 1, correction = 'none' } = options;
  checkFunction('logDensity', logDensity);
  checkSetting('stepSize', stepSize);
  checkSetting('temperature', temperature, true);
  checkFraction('decay', decay, true);
  checkPositive('floor', floor);
  checkWhole('size', size);
  if (correction !== 'none' && correction !== 'exact') {
    throw new ConfigError(`correction is ${show(correction)}, expected 'none' or 'exact'`, "pass 'none' or 'exact' as correction");
  }
  return {
    init(position) {
      checkPosition(position);
      return { position: cloneTree(position), squares: treeMap((x) => zerosLike(x), position), step: firstStep() };
    },
    step: (key, state, data) =>
      scope(() => psgldStep(state, temperature === 0 ? undefined : normalLike(key, state.position), options, data)),
  };
}
