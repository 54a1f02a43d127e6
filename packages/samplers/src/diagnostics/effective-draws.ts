import { meanAutocovariance } from './autocovariance.js';
import { type ChainTable, isConstant, momentsOf } from './chains.js';

/** Means of the chains, and the draws less the mean of their chain. */
function centre({ values, chains, length }: ChainTable): { readonly means: Float64Array; readonly centred: ChainTable } {
  const means = new Float64Array(chains);
  const centred = new Float64Array(values.length);
  for (let c = 0; c < chains; c++) {
    const mean = (means[c] = momentsOf(values.subarray(c * length, (c + 1) * length)).mean);
    for (let t = c * length; t < (c + 1) * length; t++) centred[t] = (values[t] as number) - mean;
  }
  return { means, centred: { values: centred, chains, length } };
}

/** Variance with divisor n − 1. */
const sampleVariance = (values: Float64Array) => (momentsOf(values).variance * values.length) / (values.length - 1);

/** Variances within and between chains of n draws: W is the mean of the chains' variances, B/n the variance of their means. */
export function chainVariances(table: ChainTable): { readonly within: number; readonly betweenMeans: number } {
  const { means, centred } = centre(table);
  let squares = 0;
  for (let i = 0; i < centred.values.length; i++) squares += (centred.values[i] as number) ** 2;
  return {
    within: squares / (table.chains * (table.length - 1)),
    betweenMeans: table.chains > 1 ? sampleVariance(means) : 0,
  };
}

/** Pairs of autocorrelations up to where Geyer's initial positive sequence ends, made monotone; and what the last even one adds. */
function integratedTime(rho: (lag: number) => number, length: number): number {
  let even = 1;
  let odd = rho(1);
  const pairs: [number, number][] = [[even, odd]];
  let lag = 1;
  while (lag < length - 3 && even + odd > 0) {
    even = rho(lag + 1);
    odd = rho(lag + 2);
    pairs.push([even, odd]);
    lag += 2;
  }
  // The last pair ended the sequence, or the lags ran out: only its even member counts, once, which helps antithetic chains.
  pairs.pop();
  const last = even > 0 || even + odd >= 0 ? even : 0;
  let sum = 0;
  let before = Number.POSITIVE_INFINITY;
  for (const [first, second] of pairs) {
    before = Math.min(first + second, before);
    sum += before;
  }
  return -1 + 2 * sum + last;
}

/**
 * Effective number of draws m·n/τ̂ of m chains for the mean of their values.
 *
 * With W and B/n of `chainVariances`, V̂ = W(n − 1)/n + B/n and mean autocovariances γ̂: ρ̂_t = 1 − (W − γ̂_t)/V̂ and
 * τ̂ = −1 + 2 Σ (ρ̂_{2k} + ρ̂_{2k+1}) over Geyer's initial monotone positive sequence, at least 1/log₁₀(mn)
 * (Vehtari et al. 2021, eqs. 10–13; the last lags as in Stan and ArviZ). Values that are all the same count fully; NaN where
 * squares overflow.
 */
export function effectiveDraws(table: ChainTable): number {
  const { chains, length, values } = table;
  const total = chains * length;
  if (isConstant(values)) return total;
  const { means, centred } = centre(table);
  const covariance = meanAutocovariance(centred);
  const within = (covariance(0) * length) / (length - 1);
  const pooled = covariance(0) + (chains > 1 ? sampleVariance(means) : 0);
  if (!Number.isFinite(pooled)) return Number.NaN;
  const time = integratedTime((lag) => 1 - (within - covariance(lag)) / pooled, length);
  return total / Math.max(time, 1 / Math.log10(total));
}
