import { type Draws, type Series, series } from '../draws.js';
import { momentsOf } from './chains.js';
import { countFlagged, type Flagged, statisticOf } from './draw-statistics.js';
import { sortedQuantile } from './quantile.js';

/** One draw whose trajectory diverged. */
export interface DivergenceLocation {
  /** From 0. */
  readonly chain: number;
  /** From 0, of the kept draws. */
  readonly draw: number;
  /** All quantities there, by name. */
  readonly values: Readonly<Record<string, number>>;
}

/** A quantity, as it is where trajectories diverge and elsewhere. */
export interface DivergenceContrast {
  readonly name: string;
  /** Medians of the divergent draws and of all others. */
  readonly divergent: number;
  readonly others: number;
  /** Mean of the divergent draws' ranks among all draws, 0 to 1; about ½ where the quantity has nothing to do with them. */
  readonly rank: number;
}

/** How often and where the integrator left the level set of the energy. */
export interface Divergences extends Flagged {
  readonly locations: readonly DivergenceLocation[];
  /** For each quantity, the most telling first. Empty without divergences. */
  readonly contrasts: readonly DivergenceContrast[];
}

/** Numbers of `sorted` below `value`, and equal to it. */
function placeIn(sorted: Float64Array, value: number): { readonly below: number; readonly equal: number } {
  let below = 0;
  let high = sorted.length;
  while (below < high) {
    const middle = (below + high) >> 1;
    if ((sorted[middle] as number) < value) below = middle + 1;
    else high = middle;
  }
  let equal = 0;
  while (sorted[below + equal] === value) equal++;
  return { below, equal };
}

/** Values of one quantity on the draws that diverged, or on those that did not. */
function valuesWhere(chains: readonly Float64Array[], flags: readonly Float64Array[], wanted: boolean): Float64Array {
  const values: number[] = [];
  chains.forEach((chain, c) => {
    const own = flags[c];
    for (let n = 0; n < chain.length; n++) if ((own?.[n] !== 0) === wanted) values.push(chain[n] as number);
  });
  return Float64Array.from(values).sort();
}

function contrast({ name, chains }: Series, flags: readonly Float64Array[]): DivergenceContrast {
  const divergent = valuesWhere(chains, flags, true);
  const others = valuesWhere(chains, flags, false);
  const ranks = divergent.map((value) => {
    const [own, other] = [placeIn(divergent, value), placeIn(others, value)];
    return (own.below + other.below + (own.equal + other.equal) / 2) / (divergent.length + others.length);
  });
  return {
    name,
    divergent: sortedQuantile(divergent, 0.5),
    others: sortedQuantile(others, 0.5),
    rank: momentsOf(ranks).mean,
  };
}

/**
 * Divergent transitions with their locations: where trajectories left their energy's level set, the sampler cannot follow the
 * density's curvature, and expectations are biased away from there.
 *
 * @param draws of a sampler that reports `divergent`; without that statistic there are none.
 * @example
 * ```ts
 * import { divergences, type Draws } from '@bpc/samplers';
 * const where = (draws: Draws) => divergences(draws).locations.map(({ chain, draw, values }) => `${chain}/${draw}: tau = ${values['tau']}`);
 * ```
 */
export function divergences(draws: Draws): Divergences {
  const flagged = countFlagged(draws, 'divergent');
  const flags = statisticOf(draws, 'divergent') ?? [];
  if (flagged.count === 0) return { ...flagged, locations: [], contrasts: [] };
  const quantities = series(draws);
  const locations = flags.flatMap((chain, c) =>
    [...chain.keys()]
      .filter((n) => chain[n] !== 0)
      .map((n) => ({
        chain: c,
        draw: n,
        values: Object.fromEntries(quantities.map(({ name, chains }) => [name, chains[c]?.[n] ?? Number.NaN])),
      })),
  );
  const contrasts = quantities.map((quantity) => contrast(quantity, flags)).sort((a, b) => Math.abs(b.rank - 0.5) - Math.abs(a.rank - 0.5));
  return { ...flagged, locations, contrasts };
}
