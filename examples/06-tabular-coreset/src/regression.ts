import { type GeneralisedLinearModel, generalisedLinearModel, type LaplaceFit } from '@bpc/baselines';
import type { HostTensor, Key } from '@bpc/core';
import { type Draws, real, sample, summary } from '@bpc/samplers';
import { matMul, mul, neg, reshape, softplus, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { SIZE, type WeightedPoints } from './data.js';

/** Coefficients ~ N(0, 1). */
export const PRIOR_PRECISION = 1;

/** log p(θ | points) = −Σ w_n log(1 + exp(−sign_n x_n·θ)) − ½ ‖θ‖² + const, in float64 on the host. */
export function hostModel({ x, sign }: WeightedPoints): GeneralisedLinearModel {
  return generalisedLinearModel({
    family: 'logistic',
    x: { data: x, shape: [sign.length, SIZE] },
    y: sign,
    priorPrecision: PRIOR_PRECISION,
  });
}

/** The normal distribution at the mode of the posterior of weighted points. */
export const laplaceOf = (points: WeightedPoints): LaplaceFit =>
  hostModel(points).laplace({ indices: Int32Array.from(points.weights.keys()), weights: points.weights });

/** Draws of the same posterior by NUTS. */
export interface Sampled {
  /** `[draws, SIZE]` */
  readonly draws: Float64Array;
  readonly worstRhat: number;
  readonly smallestEss: number;
  readonly divergences: number;
}

export async function nuts(
  points: WeightedPoints,
  options: { readonly key: Key; readonly warmup: number; readonly draws: number },
): Promise<Sampled> {
  const { x, sign, weights } = points;
  const inputs: HostTensor = { data: x, shape: [sign.length, SIZE] };
  const drawn: Draws = await sample({
    ...options,
    parameters: { theta: real([SIZE]) },
    data: { x: inputs, sign, weights },
    logDensity({ theta }: { theta: Tensor }, rows: { x: Tensor; sign: Tensor; weights: Tensor }) {
      const margins = mul(rows.sign, reshape(matMul(rows.x, reshape(theta, [-1, 1])), [-1]));
      return sub(mul(sum(square(theta)), -PRIOR_PRECISION / 2), sum(mul(rows.weights, softplus(neg(margins)))));
    },
  }).collect();
  const { rows } = summary(drawn);
  return {
    draws: drawn.values['theta'] ?? new Float64Array(),
    worstRhat: Math.max(...rows.map(({ rhat }) => rhat)),
    smallestEss: Math.min(...rows.map(({ essBulk }) => essBulk)),
    divergences: (drawn.statistics['divergent'] ?? new Float64Array()).reduce((a, b) => a + b, 0),
  };
}
