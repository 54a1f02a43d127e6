import { InterruptedError } from '@bpc/core';
import type { Draws } from '../../draws.js';
import { comparePosterior, drawQuality, type PosteriorComparison } from './compare-posterior.js';
import type { ReferenceQuantity } from './reference.js';

/** What `checkPosterior` needs. */
export interface CheckPosteriorOptions {
  /** Draws that many times per chain, all chains, from the start. */
  readonly collect: (draws: number) => Promise<Draws>;
  readonly reference: readonly ReferenceQuantity[];
  /** Draws per chain at first (1000 by default); doubled until they are enough. */
  readonly draws?: number;
  /** Most draws per chain (16 times the first number by default). */
  readonly maximumDraws?: number;
  /** Bulk and tail effective sample size that every quantity must reach (1000 by default). */
  readonly effectiveDraws?: number;
}

/** What came of it. */
export interface PosteriorCheck {
  readonly draws: Draws;
  readonly comparison: PosteriorComparison;
  /** Share of the draws whose trajectory diverged. */
  readonly divergent: number;
  /** What is wrong, in words; none if the sampler passed. */
  readonly problems: readonly string[];
  /** Of the last, longest run. */
  readonly seconds: number;
}

/** More draws than this, and R-hat must be below 1.01; with fewer, its own noise takes it to 1.02. */
const MANY_DRAWS = 2000;
const MOST_DIVERGENT = 0.001;

function problemsOf(comparison: PosteriorComparison, divergent: number, effectiveDraws: number): string[] {
  const { minimumBulkEss, minimumTailEss, maximumRhat, rejected } = comparison;
  const least = Math.min(minimumBulkEss, minimumTailEss);
  const rhatLimit = least < MANY_DRAWS ? 1.02 : 1.01;
  return [
    ...(least >= effectiveDraws ? [] : [`effective sample size ${least.toFixed(0)}, expected ${effectiveDraws}`]),
    ...(maximumRhat < rhatLimit ? [] : [`R-hat ${maximumRhat.toFixed(4)}, expected less than ${rhatLimit}`]),
    ...(divergent <= MOST_DIVERGENT ? [] : [`${(100 * divergent).toFixed(2)} % of the draws diverged, expected 0.1 % at most`]),
    ...rejected.map(({ name, kind, probability, estimate, expected, z }) => {
      const what = probability === undefined ? kind : `share of draws up to the ${100 * probability} % quantile`;
      return `${what} of ${name} is ${estimate.toPrecision(6)}, expected ${expected.toPrecision(6)} (z = ${z.toFixed(1)})`;
    }),
  ];
}

/**
 * Whether a sampler reproduces a posterior: every quantity has enough effective draws (else the run is repeated, longer),
 * R-hat < 1.01 (1.02 below 2000 effective draws), at most 0.1 % divergences, and means, standard deviations and quantiles
 * agree with the reference (`comparePosterior`).
 *
 * @throws whatever `collect` throws; InterruptedError if its draws are those of a run that was stopped; ConfigError if a quantity of the reference was not drawn.
 */
export async function checkPosterior(options: CheckPosteriorOptions): Promise<PosteriorCheck> {
  const { collect, reference, effectiveDraws = 1000 } = options;
  let length = options.draws ?? 1000;
  const { maximumDraws = 16 * length } = options;
  for (;;) {
    const begun = performance.now();
    const draws = await collect(length);
    const seconds = (performance.now() - begun) / 1000;
    if (draws.interrupted) throw new InterruptedError('the run was stopped before all draws were made', draws.length, 'run it again');
    const { minimumBulkEss, minimumTailEss } = drawQuality(draws);
    const enough = Math.min(minimumBulkEss, minimumTailEss) >= effectiveDraws;
    if (!enough && 2 * length <= maximumDraws) {
      length *= 2;
      continue;
    }
    const flags = draws.statistics['divergent'] ?? new Float64Array(1);
    const divergent = flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
    const comparison = comparePosterior(draws, reference);
    return { draws, comparison, divergent, problems: problemsOf(comparison, divergent, effectiveDraws), seconds };
  }
}
