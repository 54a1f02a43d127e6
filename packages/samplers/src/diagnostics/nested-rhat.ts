import { ShapeError } from '@bpc/core';
import { flawOf, momentsOf, tableOf } from './chains.js';
import { chainVariances } from './effective-draws.js';

const flawless = (flaw: ReturnType<typeof flawOf>) => flaw === undefined || flaw === 'too few draws';

/**
 * Nested R-hat, for many short chains: whether groups of chains ("superchains", started at the same point each) agree, even
 * when one chain alone is too short to tell.
 *
 *     n𝔯̂ = √(1 + B/W),  B = variance of the K superchains' means,
 *     W = mean over superchains of (variance of the M chains' means + mean of the chains' variances)
 *
 * (Margossian, Hoffman, Sountsov, Riou-Durand, Vehtari & Gelman 2024, Bayesian Analysis, eqs. 15–18). One draw per chain is
 * enough; with one chain per superchain it is R-hat without the factor (n − 1)/n.
 *
 * @param superchains K ≥ 2 groups of M chains each, all of equal lengths, M or the length above 1.
 * @returns NaN for draws that are not finite and for a quantity that never changes.
 * @throws ShapeError if there are fewer than 2 superchains, they have unequal numbers or lengths of chains, or there is only
 * one draw in each.
 * @example
 * ```ts
 * import { nestedRhat } from '@bpc/samplers';
 * const chain = (start: number) => Float64Array.of(start, start + 1, start - 1);
 * console.log(nestedRhat([[chain(0), chain(0.1)], [chain(9), chain(9.1)]]) > 2); // true
 * ```
 */
export function nestedRhat(superchains: readonly (readonly Float64Array[])[]): number {
  const [first] = superchains;
  if (first === undefined || superchains.length < 2) {
    throw new ShapeError(`there are ${superchains.length} superchains, expected at least 2`, 'group the chains by their starts');
  }
  const { length } = tableOf(superchains.flat());
  const chains = first.length;
  if (superchains.some((each) => each.length !== chains)) {
    throw new ShapeError(
      `superchains have ${superchains.map((each) => each.length).join(', ')} chains, expected equal numbers`,
      'start equally many chains at every point',
    );
  }
  if (chains * length < 2)
    throw new ShapeError('every superchain has one draw only', 'run several chains from every start, or longer ones');
  if (!flawless(flawOf(tableOf(superchains.flat())))) return Number.NaN;
  const tables = superchains.map(tableOf);
  const means = Float64Array.from(tables, ({ values }) => momentsOf(values).mean);
  const between = (momentsOf(means).variance * means.length) / (means.length - 1);
  const within = tables.map((table) => {
    const variances = chainVariances(table);
    return variances.betweenMeans + (length > 1 ? variances.within : 0);
  });
  return Math.sqrt(1 + between / momentsOf(Float64Array.from(within)).mean);
}
