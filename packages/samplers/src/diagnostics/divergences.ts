import { type Draws, type Series, series } from '../draws.js';
import { momentsOf } from './chains.js';
import { countFlagged, type Flagged, statisticOf } from './draw-statistics.js';
import { sortedQuantile } from './quantile.js';
import { relativeRank } from './rank-normalise.js';

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

function contrast({ name, chains }: Series, flags: readonly Float64Array[]): DivergenceContrast {
  const of = (wanted: boolean) =>
    Float64Array.from(chains.flatMap((chain, c) => [...chain].filter((_, n) => (flags[c]?.[n] !== 0) === wanted))).sort();
  const [divergent, others] = [of(true), of(false)];
  const all = Float64Array.from([...divergent, ...others]).sort();
  return {
    name,
    divergent: sortedQuantile(divergent, 0.5),
    others: sortedQuantile(others, 0.5),
    rank: momentsOf(divergent.map((value) => relativeRank(all, value))).mean,
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
