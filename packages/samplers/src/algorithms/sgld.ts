import type { Algorithm, Tree } from '@bpc/core';
import { type UlaInfo, type UlaOptions, type UlaState, ula, ulaStep } from './ula.js';

/** Options of `sgld`: those of `ula`, with a log density that estimates the whole one from a mini-batch. */
export type SgldOptions<P extends Tree> = UlaOptions<P>;

/** Position of the chain, and the number of steps so far (int32). */
export type SgldState<P extends Tree> = UlaState<P>;

/** The estimate of log p before the step, and the λ and T of the step. */
export type SgldInfo = UlaInfo;

/** One step with the noise given: `ulaStep`, with the mini-batch as `data`. */
export const sgldStep: typeof ulaStep = ulaStep;

/**
 * Stochastic-gradient Langevin dynamics.
 *
 * `θ ← θ + λ_t ĝ(θ) + √(2 λ_t T)·ξ` with ĝ the gradient on the mini-batch that `step` gets as `data` (Welling & Teh 2011,
 * equation 4, whose ε_t is 2 λ_t). `minibatchLogDensity` makes the unbiased estimate `log prior + N/B Σ log likelihood`.
 *
 * - *Bias.* At a constant λ the law is wider than the posterior: on a Gaussian of precision a with gradient noise of variance v
 *   it has variance `(2T + λ v)/(2a − λ a²)`. It vanishes as λ → 0: `polynomialSchedule` with ½ < γ ≤ 1 (weigh draws by λ_t).
 * - *Schedules.* `constantSchedule`, `polynomialSchedule`, or the two of `cyclicalSchedule`, whose exploring steps are no draws:
 *   keep those with `info.temperature > 0`.
 *
 * @throws ConfigError if λ or T is outside its domain; `init` throws ShapeError for a position with integers.
 * @example
 * ```ts
 * import { mul, scalar, square, sub, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
 * import { jsRuntime } from '@bpc/compiler';
 * import { foldIn, key } from '@bpc/core';
 * import { minibatchLogDensity, polynomialSchedule, sgld } from '@bpc/samplers';
 * const logDensity = minibatchLogDensity({
 *   logPrior: (mean: Tensor) => mul(square(mean), -0.5),
 *   logLikelihood: (mean: Tensor, batch: Tensor) => mul(square(sub(batch, mean)), -0.5),
 *   size: 4,
 * });
 * const { init, step } = sgld({ logDensity, stepSize: polynomialSchedule({ a: 0.1, b: 1, gamma: 0.55 }) });
 * const program = jsRuntime().compile(step);
 * let state = init(scalar(0), key(0));
 * const batches = [tensor1d([1, 2]), tensor1d([0.5, 3])];
 * for (let i = 0; i < 10; i++) [state] = await program(foldIn(key(1), i), state, batches[i % 2]);
 * ```
 */
export function sgld<P extends Tree>(options: SgldOptions<P>): Algorithm<P, SgldState<P>, SgldInfo> {
  return ula(options);
}
