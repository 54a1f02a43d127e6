import { ConfigError, coresetGradient, type Divergence, descentDraws, mapDraws, type PosteriorDraws, scope, split } from '@bpc/core';
import { add, exp, matMul, mean, mul, reshape, type Scalar, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';

export interface PredictiveMmdOptions {
  /** Draws from either posterior. */
  readonly draws?: number;
  /** Of the kernel, as a difference of two probabilities. */
  readonly bandwidth?: number;
  /** Draws of the coreset's posterior, and of what stands for that of the data: normals around an expert. */
  readonly posterior?: PosteriorDraws;
  readonly data?: PosteriorDraws;
}

/** exp(−‖a_i − b_j‖² / (2 n ℓ²)) for rows of n predictions. */
function kernel(a: Tensor, b: Tensor, bandwidth: number): Tensor {
  const squares = add(sum(square(a), 1, true), reshape(sum(square(b), 1), [1, -1]));
  return exp(mul(sub(mul(2, matMul(a, b, false, true)), squares), 1 / (2 * (a.shape[1] ?? 1) * bandwidth ** 2)));
}

/**
 * Squared maximum mean discrepancy between what draws of the two posteriors predict, p(y_n | x_n, θ) at a batch of real points.
 *
 * Under π_S ∝ exp(Σ w f(u, θ)) a mean has the gradient ∇_S E[h(θ)] = Cov[∇_S Σ w f(u, θ), h(θ)]. With the witness
 * h_s = 2 (mean_j k(θ_s, θ_j) − mean_i k(θ_s, φ_i)), θ of the coreset's draws and φ of the data's, no draw is differentiated.
 */
export function predictiveMmd(options: PredictiveMmdOptions = {}): Divergence {
  const { draws = 20, bandwidth = 0.1, posterior = descentDraws({ sigma: 0.05 }) } = options;
  const { data = descentDraws({ steps: 0, sigma: 0.05, from: 'expert' }) } = options;
  return {
    name: 'predictive-mmd',
    requires: { real: true, start: posterior.requiresStart === true, synthetic: true, order: 1 },
    estimate: (key, input) =>
      scope(() => {
        const { model, coreset, learnable, real } = input;
        if (real === undefined) throw new ConfigError('real is not given, but predictions are compared at real points', 'pass real');
        const [coresetKey, dataKey] = split(key, 2);
        const thetas = posterior.draw(coresetKey, input, draws);
        const p = mapDraws(thetas, (theta): Tensor => exp(model.logLikelihood(theta, real)));
        const q = mapDraws(data.draw(dataKey, input, draws), (phi): Tensor => exp(model.logLikelihood(phi, real)));
        const [within, between, constant] = [kernel(p, p, bandwidth), kernel(p, q, bandwidth), mean(kernel(q, q, bandwidth))];
        const witness = mul(2, sub(mean(within, 1), mean(between, 1)));
        const centred = mul(sub(witness, mean(witness)), 1 / draws);
        const { grad } = coresetGradient(coreset, learnable, ({ weights, ...points }) => {
          const fits = mapDraws(thetas, (theta): Tensor => sum(mul(weights, model.logLikelihood(theta, points))));
          return sum(mul(centred, fits));
        });
        return { grad, value: add(sub(mean(within), mul(2, mean(between))), constant) as Scalar };
      }),
  };
}
