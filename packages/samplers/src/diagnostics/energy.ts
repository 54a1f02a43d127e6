import { momentsOf, tableOf } from './chains.js';

/**
 * Estimated Bayesian fraction of missing information of each chain, from its energies H:
 *
 *     E-BFMI = Σ (H_t − H_{t−1})² / Σ (H_t − mean H)²
 *
 * (Betancourt 2016, arXiv 1604.00695). How much of the spread of energies one resampling of the momentum covers: below 0.3
 * the tails are explored slowly, as by a random walk.
 *
 * @param energies one array per chain, of equal lengths, in nats.
 * @returns one number per chain; NaN with fewer than 2 draws, for energies that are not finite or never change.
 * @throws ShapeError if there is no chain or their lengths differ.
 * @example
 * ```ts
 * import { ebfmi } from '@bpc/samplers';
 * console.log(ebfmi([Float64Array.of(1, 2, 1, 2)])); // [ 3 ]
 * ```
 */
export function ebfmi(energies: readonly Float64Array[]): number[] {
  tableOf(energies);
  return energies.map((chain) => {
    let changes = 0;
    for (let t = 1; t < chain.length; t++) changes += ((chain[t] ?? 0) - (chain[t - 1] ?? 0)) ** 2;
    return changes / (momentsOf(chain).variance * chain.length);
  });
}
