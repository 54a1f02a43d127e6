import { ConfigError } from '@bpc/core';
import { type Draws, type Series, series } from '@bpc/samplers';

/** Some quantities of draws, and which draws diverged. */
export interface PlottedDraws {
  readonly quantities: readonly Series[];
  /** One array of flags per chain; none where the sampler does not report them. */
  readonly divergent: readonly Float64Array[];
}

/**
 * The quantities to plot: those of the named variables, or the first `most` of the parameters.
 *
 * @throws ConfigError for an unknown name, or for draws of which there are none.
 */
export function plottedDraws(draws: Draws, names: readonly string[] | undefined, most: number): PlottedDraws {
  const { statistics, chains, length, variables } = draws;
  if (chains * length === 0) throw new ConfigError('there are no draws to plot', 'make some draws');
  const all = series(draws);
  const of = (name: string): Series[] => {
    const found = all.filter((each) => each.name === name || each.name.startsWith(`${name}[`));
    if (found.length > 0) return found;
    throw new ConfigError(`names has '${name}', which was not drawn`, `choose from ${variables.map((each) => each.name).join(', ')}`);
  };
  const own = names ?? variables.flatMap(({ name, kind }) => (kind === 'parameter' ? [name] : []));
  const quantities = own.flatMap(of);
  const flags = statistics['divergent'];
  return {
    quantities: names === undefined ? quantities.slice(0, most) : quantities,
    divergent: flags === undefined ? [] : Array.from({ length: chains }, (_, c) => flags.subarray(c * length, (c + 1) * length)),
  };
}
