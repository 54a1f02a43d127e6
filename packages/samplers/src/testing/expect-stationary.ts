import { momentsOf, tableOf } from '../diagnostics/chains.js';
import { essMean } from '../diagnostics/index.js';

/** An expectation under the law that a chain should have. */
export interface Statistic {
  readonly name: string;
  readonly of: (x: number) => number;
  readonly expected: number;
}

/** Options of `expectStationary`: draws of one scalar quantity, and what they should be like. */
export interface StationaryOptions {
  /** As messages call the quantity. */
  readonly name: string;
  /** One array of draws per chain, of equal lengths, after warm-up. */
  readonly chains: readonly Float64Array[];
  readonly mean: number;
  readonly variance: number;
  /** Further expectations, a tail probability say. */
  readonly statistics?: readonly Statistic[];
  /** Least effective sample size of every estimate, 10⁴ by default: with fewer draws a wrong law would pass. */
  readonly leastEss?: number;
  /** Most standard errors that an estimate may be off, 4 by default. */
  readonly mostZ?: number;
  /** What the law may be off by its nature: the mean by this many standard deviations, the variance by this share of itself. */
  readonly bias?: number;
}

/** One estimate. */
export interface StationaryFinding {
  readonly name: string;
  readonly estimate: number;
  readonly expected: number;
  /** Effective sample size of the estimate. */
  readonly ess: number;
  /** (estimate − expected) over its Monte Carlo standard error, less the bias that is allowed. */
  readonly z: number;
}

function estimate(chains: readonly Float64Array[], { name, of, expected }: Statistic, allowed: number): StationaryFinding {
  const values = chains.map((chain) => chain.map(of));
  const { mean, variance } = momentsOf(tableOf(values).values);
  const ess = essMean(values);
  const excess = Math.max(0, Math.abs(mean - expected) - allowed);
  return { name, estimate: mean, expected, ess, z: (Math.sign(mean - expected) * excess) / Math.sqrt(variance / ess) };
}

const shown = (value: number) => String(Number(value.toPrecision(6)));

/**
 * Throws unless draws have the mean and the variance (and other expectations) of a law, within Monte Carlo error.
 *
 * `z = (estimate − expected)/√(variance of its terms/ESS)`, |z| ≤ 4, ESS ≥ 10⁴ by default. The variance is estimated about the
 * *expected* mean, so that its own standard error is known. It throws other messages for too few draws than for a wrong law,
 * so that a negative control can tell.
 *
 * @returns what was found.
 * @throws Error, for any test runner.
 * @example
 * ```ts
 * import { hostNormal, key } from '@bpc/core';
 * import { expectStationary } from '@bpc/samplers/testing';
 * const chains = [Float64Array.from(hostNormal(key(0), 20_000))];
 * expectStationary({ name: 'x', chains, mean: 0, variance: 1 });
 * ```
 */
export function expectStationary(options: StationaryOptions): readonly StationaryFinding[] {
  const { name, chains, mean, variance, statistics = [], leastEss = 1e4, mostZ = 4, bias = 0 } = options;
  const findings = [
    estimate(chains, { name: 'mean', of: (x) => x, expected: mean }, bias * Math.sqrt(variance)),
    estimate(chains, { name: 'variance', of: (x) => (x - mean) ** 2, expected: variance }, bias * variance),
    ...statistics.map((statistic) => estimate(chains, statistic, bias)),
  ];
  for (const found of findings) {
    // Written so that NaN fails: a chain that never moves has no effective sample size.
    if (!(found.ess >= leastEss)) {
      throw new Error(
        `${name}: the ${found.name} has an effective sample size of ${shown(found.ess)}, expected ${leastEss}: take more draws`,
      );
    }
  }
  const wrong = findings.filter(({ z }) => !(Math.abs(z) <= mostZ));
  if (wrong.length === 0) return findings;
  const text = wrong.map(
    ({ name: which, estimate: value, expected, z, ess }) =>
      `${which} ${shown(value)}, expected ${shown(expected)} (z = ${shown(z)}, effective sample size ${shown(ess)})`,
  );
  throw new Error(`${name} is not stationary: ${text.join('; ')}`);
}
