import { type LaplaceFit, laplaceKl } from '@bpc/baselines';
import { fitMoments, gaussianKl } from '@bpc/bench';
import { SIZE, type WeightedPoints } from './data.js';
import { hostModel, laplaceOf, type Sampled } from './regression.js';

/** What is compared: draws by NUTS, and the Laplace approximation, which has no noise. */
export interface Posterior {
  readonly sampled: Sampled;
  readonly laplace: LaplaceFit;
}

/** How far a posterior is from that of all points. */
export interface Closeness {
  /** KL(posterior ‖ full) of the normal distributions that fit the draws, in nats: what SparseVI and PSVI minimise. */
  readonly klToFull: number;
  /** KL(full ‖ posterior), likewise. */
  readonly klFromFull: number;
  /** KL(posterior ‖ full) of the Laplace approximations. */
  readonly laplaceKl: number;
  /** Error of the means in standard deviations of the full posterior, root mean square over coefficients. */
  readonly meanError: number;
  /** The same of the standard deviations. */
  readonly sdError: number;
  /** −log of the posterior's average probability of the validation labels, in nats per row. */
  readonly nll: number;
}

export const measures = [
  'klToFull',
  'klFromFull',
  'laplaceKl',
  'meanError',
  'sdError',
  'nll',
] as const satisfies readonly (keyof Closeness)[];

const rootMeanSquare = (values: Float64Array): number =>
  Math.sqrt(values.reduce((total, value) => total + value * value, 0) / values.length);

/** Mean and standard deviation errors in units of the standard deviations of `truth`. */
export function momentErrors(posterior: Float64Array, truth: Float64Array): { readonly meanError: number; readonly sdError: number } {
  const [own, full] = [fitMoments(posterior, SIZE), fitMoments(truth, SIZE)];
  const sd = (covariance: Float64Array, j: number) => Math.sqrt(covariance[j * SIZE + j] ?? Number.NaN);
  const scaled = (difference: (j: number) => number) => rootMeanSquare(own.mean.map((_, j) => difference(j) / sd(full.covariance, j)));
  return {
    meanError: scaled((j) => (own.mean[j] ?? Number.NaN) - (full.mean[j] ?? Number.NaN)),
    sdError: scaled((j) => sd(own.covariance, j) - sd(full.covariance, j)),
  };
}

/** Draws that predictions are averaged over. */
const PREDICTING = 400;

/** −log p(labels) of rows, probabilities averaged over evenly spaced draws `[draws, SIZE]`, in nats per row. */
export function negativeLogLikelihood(draws: Float64Array, rows: WeightedPoints): number {
  const count = draws.length / SIZE;
  const used = Math.min(PREDICTING, count);
  const thinned = new Float64Array(used * SIZE);
  for (let s = 0; s < used; s++) {
    const from = Math.floor((s * count) / used) * SIZE;
    thinned.set(draws.subarray(from, from + SIZE), s * SIZE);
  }
  const { data } = hostModel(rows).logLikelihoods({ data: thinned, shape: [used, SIZE] });
  let total = 0;
  for (let n = 0; n < rows.sign.length; n++) {
    let probability = 0;
    for (let s = 0; s < used; s++) probability += Math.exp(data[n * used + s] ?? Number.NaN) / used;
    total -= Math.log(probability);
  }
  return total / rows.sign.length;
}

/** How far a posterior is from the true one. */
export function closeness({ sampled, laplace }: Posterior, truth: Posterior, validation: WeightedPoints): Closeness {
  const [own, full] = [fitMoments(sampled.draws, SIZE), fitMoments(truth.sampled.draws, SIZE)];
  return {
    klToFull: gaussianKl(own, full),
    klFromFull: gaussianKl(full, own),
    laplaceKl: laplaceKl(laplace, truth.laplace),
    ...momentErrors(sampled.draws, truth.sampled.draws),
    nll: negativeLogLikelihood(sampled.draws, validation),
  };
}

/** A posterior from points and the draws of it. */
export const posteriorOf = (points: WeightedPoints, sampled: Sampled): Posterior => ({ sampled, laplace: laplaceOf(points) });
