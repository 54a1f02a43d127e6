import type { Draws } from '../draws.js';

/** What the sampler said about each draw under `name`, one array per chain; undefined if it said nothing of the kind. */
export function statisticOf({ statistics, chains, length }: Draws, name: string): Float64Array[] | undefined {
  const values = statistics[name];
  return values && Array.from({ length: chains }, (_, c) => values.subarray(c * length, (c + 1) * length));
}

/** Draws on which a statistic is not 0, counted per chain. */
export interface Flagged {
  readonly count: number;
  /** Of all draws. */
  readonly share: number;
  readonly perChain: readonly number[];
}

/** Counts the draws on which `name` is not 0; none where the sampler does not report it. */
export function countFlagged(draws: Draws, name: string): Flagged {
  const perChain = (statisticOf(draws, name) ?? []).map((chain) => chain.reduce((sum, flag) => sum + (flag === 0 ? 0 : 1), 0));
  const count = perChain.reduce((sum, each) => sum + each, 0);
  return { count, share: count === 0 ? 0 : count / (draws.chains * draws.length), perChain };
}

/**
 * Trajectories that NUTS stopped at its largest tree depth before they turned back: draws that are correct but cost most
 * and move little. Per chain and in all, from the statistic `maxDepthReached`.
 */
export const treeDepthHits = (draws: Draws): Flagged => countFlagged(draws, 'maxDepthReached');
