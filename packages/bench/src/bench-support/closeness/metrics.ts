import { deviations, gaussianKl, type Moments } from './gaussian.js';
import { agreement, type Predictive, totalVariation } from './predictive.js';

/** What is kept of a posterior. Plain numbers, so that it can be stored and sent to threads. */
export interface Posterior {
  /** Of the flat parameters, in canonical order. */
  readonly mean: readonly number[];
  readonly sd: readonly number[];
  /** `[size, size]`, row-major; left out where parameters have no meaning one by one, as those of a network. */
  readonly covariance?: readonly number[];
  readonly predictive: Predictive;
  /** Left out for a posterior in closed form. */
  readonly sampling?: SamplingRecord;
}

/** What the sampler says about its draws. Figures that do not exist or are not finite are left out, since JSON has no NaN. */
export interface SamplingRecord {
  readonly chains: number;
  /** Kept per chain. */
  readonly draws: number;
  /** The largest R-hat of any parameter. */
  readonly maximumRhat?: number;
  /** The smallest bulk ESS of any parameter. */
  readonly minimumEss?: number;
  /** Of the log density, which is the same for networks whose units are permuted. */
  readonly logDensityRhat?: number;
  readonly logDensityEss?: number;
  readonly divergentPercent: number;
  readonly seconds: number;
}

/** How far a posterior is from the true one; which figures there are depends on the case. */
export type ClosenessMetrics = { readonly [M in MetricName]?: number };

/** Figures of the table: what they are called, and whether larger is better. */
export const closenessMetrics = {
  meanError: { title: 'error of mean', larger: false },
  sdError: { title: 'error of sd', larger: false },
  agreement: { title: 'agreement', larger: true },
  totalVariation: { title: 'total variation', larger: false },
  klFromTruth: { title: 'KL(full, coreset)', larger: false },
  klToTruth: { title: 'KL(coreset, full)', larger: false },
} as const satisfies Record<string, { readonly title: string; readonly larger: boolean }>;

export type MetricName = keyof typeof closenessMetrics;
export const metricNames = Object.keys(closenessMetrics) as readonly MetricName[];

const rootMeanSquare = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

const momentsOf = ({ mean, covariance }: Posterior): Moments | undefined =>
  covariance === undefined ? undefined : { mean: Float64Array.from(mean), covariance: Float64Array.from(covariance) };

/** A posterior from its moments and what it predicts. */
export function posteriorOf(moments: Moments, predictive: Predictive): Posterior {
  return { mean: [...moments.mean], sd: [...deviations(moments)], covariance: [...moments.covariance], predictive };
}

/**
 * Errors of means and standard deviations in units of the true posterior's standard deviations, root mean square over
 * parameters; agreement and total variation of the predictives; KL of the normal distributions that fit, both ways, where
 * both posteriors have a covariance.
 *
 * @throws ShapeError for posteriors of different models or inputs.
 */
export function closenessOf(posterior: Posterior, truth: Posterior): ClosenessMetrics {
  const relative = (value: number | undefined, j: number, centre: number | undefined) =>
    ((value ?? Number.NaN) - (centre ?? Number.NaN)) / (truth.sd[j] ?? Number.NaN);
  const [own, full] = [momentsOf(posterior), momentsOf(truth)];
  return {
    meanError: rootMeanSquare(truth.mean.map((centre, j) => relative(posterior.mean[j], j, centre))),
    sdError: rootMeanSquare(truth.sd.map((sd, j) => relative(posterior.sd[j], j, sd))),
    agreement: agreement(posterior.predictive, truth.predictive),
    totalVariation: totalVariation(posterior.predictive, truth.predictive),
    ...(own !== undefined && full !== undefined && { klFromTruth: gaussianKl(full, own), klToTruth: gaussianKl(own, full) }),
  };
}
