import { ConfigError } from '@bpc/core';
import { argMax, checkEnsemble, type EnsembleLogits } from './predictions.js';

/** How often two models predict different classes; a share of points, averaged over pairs. */
export interface Disagreement {
  /** Pairs of draws of the same chain; undefined if every chain has a single draw. */
  readonly within: number | undefined;
  /** Pairs of draws of different chains; undefined if there is a single chain. */
  readonly between: number | undefined;
}

/**
 * Within- and between-chain disagreement of predicted classes.
 *
 * `mean over pairs (a, b) of (1/N) Σ_i 1[argmax_a,i ≠ argmax_b,i]`. Chains that have mixed agree as well with each other as
 * with themselves; between far above within says that each chain stays near its own start.
 *
 * @param chains - per chain the logits of its draws, each `[points, classes]`.
 * @throws ConfigError if there is no chain or a chain has no draw; ShapeError if draws disagree in length.
 *
 * @example
 * ```ts
 * import { chainDisagreement } from '@bpc/bench';
 * const a = Float32Array.of(1, 0, 1, 0);
 * const b = Float32Array.of(1, 0, 0, 1);
 * console.log(chainDisagreement([[a, a], [b, b]], 2)); // { within: 0, between: 0.5 }
 * ```
 */
export function chainDisagreement(chains: readonly EnsembleLogits[], classes: number): Disagreement {
  const points = checkEnsemble(chains.flat(), classes);
  if (chains.some((draws) => draws.length === 0))
    throw new ConfigError('a chain has no draw, expected at least one', 'leave out empty chains');
  let within = 0;
  let all = 0;
  for (let i = 0; i < points; i++) {
    const votes = chains.map((draws) => countVotes(draws, i * classes, classes));
    for (const chain of votes) within += equalPairs(chain);
    all += equalPairs(votes.reduce((a, b) => a.map((count, c) => count + (b[c] ?? 0))));
  }
  const pairsWithin = chains.reduce((sum, { length }) => sum + pairs(length), 0);
  const pairsBetween = pairs(chains.flat().length) - pairsWithin;
  return {
    within: pairsWithin === 0 ? undefined : 1 - within / (pairsWithin * points),
    between: pairsBetween === 0 ? undefined : 1 - (all - within) / (pairsBetween * points),
  };
}

function countVotes(draws: EnsembleLogits, start: number, classes: number): number[] {
  const votes = new Array<number>(classes).fill(0);
  for (const draw of draws) {
    const best = argMax(draw, start, classes);
    votes[best] = (votes[best] ?? 0) + 1;
  }
  return votes;
}

const pairs = (count: number): number => (count * (count - 1)) / 2;
const equalPairs = (votes: readonly number[]): number => votes.reduce((sum, count) => sum + pairs(count), 0);
