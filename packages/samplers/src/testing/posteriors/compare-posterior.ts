import { ConfigError } from '@bpc/core';
import { momentsOf, tableOf } from '../../diagnostics/chains.js';
import { essBulk, essMean, essTail } from '../../diagnostics/ess.js';
import { mcseMean, mcseSd } from '../../diagnostics/mcse.js';
import { rhat } from '../../diagnostics/rhat.js';
import type { Summarised } from '../../diagnostics/summary.js';
import { type Series, series } from '../../draws.js';
import type { ReferenceQuantity } from './reference.js';

/** One statistic of one quantity beside the reference. */
export interface ComparedStatistic {
  /** Of the quantity. */
  readonly name: string;
  readonly kind: 'mean' | 'standard deviation' | 'quantile';
  /** Of a quantile. */
  readonly probability?: number;
  /** From the draws: mean, standard deviation, or the share of draws up to the reference's quantile. */
  readonly estimate: number;
  /** From the reference: mean, standard deviation, or the probability of the quantile. */
  readonly expected: number;
  /** (estimate − expected)/√(sum of both squared Monte Carlo errors); infinite where there is no number. */
  readonly z: number;
}

/** How much the draws say about the quantity that they say least about. */
export interface DrawQuality {
  readonly minimumBulkEss: number;
  readonly minimumTailEss: number;
  readonly maximumRhat: number;
}

/** Draws beside a reference. */
export interface PosteriorComparison extends DrawQuality {
  readonly statistics: readonly ComparedStatistic[];
  /** Largest |z| of each kind. */
  readonly maximum: Readonly<Record<ComparedStatistic['kind'], number>>;
  /** The statistics beyond their limits; none if the draws agree with the reference. */
  readonly rejected: readonly ComparedStatistic[];
}

/** Largest |z| of each kind that passes. */
export type ComparisonLimits = Readonly<Record<ComparedStatistic['kind'], number>>;

/**
 * About 4.5 errors let one in 150 000 comparisons fail by chance; standard deviations of skewed quantities are less normal than
 * their errors say.
 */
const LIMITS: ComparisonLimits = { mean: 4.5, 'standard deviation': 6, quantile: 4.5 };

/** Of all chains together; the variance has divisor S − 1. */
function moments(chains: readonly Float64Array[]): { readonly mean: number; readonly standardDeviation: number; readonly count: number } {
  const { values } = tableOf(chains);
  const count = values.length;
  const { mean, variance } = momentsOf(values);
  return { mean, standardDeviation: Math.sqrt((variance * count) / (count - 1)), count };
}

/** NaN counts as infinitely far: a comparison that cannot be made must not pass. */
const score = (difference: number, ...errors: readonly number[]): number => {
  const z = difference / Math.hypot(...errors);
  return Number.isNaN(z) ? Number.POSITIVE_INFINITY : z;
};

function compareQuantity(reference: ReferenceQuantity, chains: readonly Float64Array[]): ComparedStatistic[] {
  const { name } = reference;
  const { mean, standardDeviation, count } = moments(chains);
  const quantiles = reference.quantiles.map(({ probability, value, effectiveDraws }): ComparedStatistic => {
    const below = chains.map((chain) => chain.map((x) => (x <= value ? 1 : 0)));
    const estimate = moments(below).mean;
    // All on one side have no autocorrelation; then every draw counts, and the comparison fails if it should.
    const own = essMean(below);
    const error = Math.sqrt(probability * (1 - probability) * (1 / (Number.isNaN(own) ? count : own) + 1 / effectiveDraws));
    return { name, kind: 'quantile', probability, estimate, expected: probability, z: score(estimate - probability, error) };
  });
  return [
    {
      name,
      kind: 'mean',
      estimate: mean,
      expected: reference.mean,
      z: score(mean - reference.mean, mcseMean(chains), reference.mcseMean),
    },
    {
      name,
      kind: 'standard deviation',
      estimate: standardDeviation,
      expected: reference.standardDeviation,
      z: score(standardDeviation - reference.standardDeviation, mcseSd(chains), reference.mcseStandardDeviation),
    },
    ...quantiles,
  ];
}

const isDraws = (draws: Summarised): draws is Extract<Summarised, { readonly chains: number }> => Array.isArray(draws['variables']);

/** Chains of every quantity. */
function seriesOf(draws: Summarised): Series[] {
  return isDraws(draws) ? series(draws) : Object.entries(draws).map(([name, chains]) => ({ name, chains }));
}

/** The least effective sample sizes and the largest R-hat over all quantities; NaN if any of them has none. */
export function drawQuality(draws: Summarised): DrawQuality {
  const all = seriesOf(draws).map(({ chains }) => chains);
  return {
    minimumBulkEss: Math.min(...all.map(essBulk)),
    minimumTailEss: Math.min(...all.map(essTail)),
    maximumRhat: Math.max(...all.map(rhat)),
  };
}

/**
 * Holds draws against a reference: means and standard deviations in combined Monte Carlo standard errors, and quantiles through
 * the share p̂ of draws up to the reference's quantile, z = (p̂ − p)/√(p(1 − p)(1/ESS + 1/ESS_ref)), ESS that of the indicator.
 *
 * Small |z| say nothing where few effective draws are: look at `minimumBulkEss` and `minimumTailEss`, too.
 *
 * @param draws of a sampler, or chains by name (`theta[2]`, indices from 0) from anywhere; more quantities than the reference has
 * count for the effective sample sizes and R-hat only.
 * @param limits on |z|; by default 4.5, 6 for standard deviations.
 * @throws ConfigError if a quantity of the reference was not drawn.
 * @example
 * ```ts
 * import { comparePosterior } from '@bpc/samplers/testing';
 * const chains = [1, 2, 3, 4].map((c) => Float64Array.from({ length: 1000 }, (_, i) => Math.sin(c + i * i)));
 * const quantiles = [{ probability: 0.5, value: 0, effectiveDraws: 10_000 }];
 * const sine = { name: 'x', mean: 0, mcseMean: 0.01, standardDeviation: Math.SQRT1_2, mcseStandardDeviation: 0.01, quantiles };
 * const { rejected, maximum } = comparePosterior({ x: chains }, [sine]);
 * ```
 */
export function comparePosterior(
  draws: Summarised,
  reference: readonly ReferenceQuantity[],
  limits: ComparisonLimits = LIMITS,
): PosteriorComparison {
  const chainsOf = new Map(seriesOf(draws).map(({ name, chains }) => [name, chains]));
  const statistics = reference.flatMap((quantity) => {
    const chains = chainsOf.get(quantity.name);
    if (chains !== undefined) return compareQuantity(quantity, chains);
    throw new ConfigError(`'${quantity.name}' of the reference was not drawn`, `there are ${[...chainsOf.keys()].join(', ')}`);
  });
  const largest = (kind: ComparedStatistic['kind']) =>
    Math.max(0, ...statistics.filter((each) => each.kind === kind).map(({ z }) => Math.abs(z)));
  return {
    statistics,
    ...drawQuality(draws),
    maximum: { mean: largest('mean'), 'standard deviation': largest('standard deviation'), quantile: largest('quantile') },
    rejected: statistics.filter(({ kind, z }) => !(Math.abs(z) <= limits[kind])),
  };
}
