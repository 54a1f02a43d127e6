import { ConfigError } from '@bpc/core';
import { fitGeneralisedPareto, generalisedParetoQuantile } from './generalised-pareto.js';

export interface PsisOptions {
  /** Effective draws per draw of what the weights are averaged over, `essMean / S`. Default 1: independent draws. */
  readonly relativeEfficiency?: number;
}

/** Importance weights, smoothed. */
export interface Psis {
  /** Smoothed log weights, in nats, in the order of the input; their exponentials sum to 1. */
  readonly logWeights: Float64Array;
  /**
   * k̂, the shape of the weights' tail: averages are reliable below `threshold`; from ½ the raw weights have no variance, from
   * 1 no mean. ∞ if the tail is too short to fit, −∞ if all weights are the same.
   */
  readonly paretoK: number;
  /** min(1 − 1/log₁₀ S, 0.7) (Vehtari et al. 2024). */
  readonly threshold: number;
}

/** Logarithm of the least positive normal number: smaller weights are zero beside the largest. */
const SMALLEST = Math.log(2.2250738585072014e-308);
/** Fewer have no fit. */
const LEAST_TAIL = 5;

/** log Σ exp. */
export function logSumExp(values: Float64Array): number {
  const largest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(largest)) return largest;
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

/** Below it k̂ of S draws says that averages are reliable. */
export const paretoThreshold = (draws: number): number => Math.min(1 - 1 / Math.log10(draws), 0.7);

/** Smooths weights with maximum 0 in place; their k̂. */
function smoothTail(weights: Float64Array, tailLength: number): number {
  const sorted = weights.slice().sort();
  if (sorted[0] === 0) return Number.NEGATIVE_INFINITY;
  const cutoff = Math.max(sorted[sorted.length - tailLength - 1] ?? Number.NEGATIVE_INFINITY, SMALLEST);
  const tail = [...weights.keys()].filter((i) => (weights[i] ?? 0) > cutoff).sort((a, b) => (weights[a] ?? 0) - (weights[b] ?? 0));
  if (tail.length < LEAST_TAIL) return Number.POSITIVE_INFINITY;
  const base = Math.exp(cutoff);
  const fit = fitGeneralisedPareto(Float64Array.from(tail, (i) => Math.exp(weights[i] ?? 0) - base));
  if (!Number.isFinite(fit.shape)) return fit.shape;
  tail.forEach((i, rank) => {
    weights[i] = Math.min(Math.log(generalisedParetoQuantile((rank + 0.5) / tail.length, fit) + base), 0);
  });
  return fit.shape;
}

/**
 * Pareto-smoothed importance sampling: the largest M = ⌈min(S/5, 3√(S/r))⌉ of S weights, r the relative efficiency, are
 * replaced by the expected order statistics of a generalised Pareto distribution fitted to them, none above the largest raw
 * weight (Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72), algorithm 1).
 *
 * @param logWeights log ratios target/proposal of each draw, in nats, up to a constant; −∞ is a weight of 0. Not changed.
 * @throws ConfigError if one is NaN or ∞ or all are −∞, or if the relative efficiency is not positive.
 * @example
 * ```ts
 * import { psis } from '@bpc/samplers';
 * // A proposal twice as wide as the target: weights are bounded, k̂ is low.
 * const x = Float64Array.from({ length: 1000 }, (_, i) => 6 * Math.sin(i * i));
 * const { paretoK, threshold } = psis(x.map((value) => -(value ** 2) / 2 + value ** 2 / 8));
 * console.log(paretoK < threshold); // true
 * ```
 */
export function psis(logWeights: Float64Array, { relativeEfficiency = 1 }: PsisOptions = {}): Psis {
  const bad = logWeights.findIndex((value) => Number.isNaN(value) || value === Number.POSITIVE_INFINITY);
  if (bad >= 0) throw new ConfigError(`logWeights[${bad}] is ${logWeights[bad]}, expected a number or -Infinity`, 'leave that draw out');
  const largest = logWeights.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (largest === Number.NEGATIVE_INFINITY) {
    throw new ConfigError(`all ${logWeights.length} weights are 0`, 'use a proposal that covers the target');
  }
  if (!(relativeEfficiency > 0)) {
    throw new ConfigError(`relativeEfficiency is ${relativeEfficiency}, expected a positive number`, 'pass essMean(chains) / draws');
  }
  const draws = logWeights.length;
  const weights = logWeights.map((value) => value - largest);
  const paretoK = smoothTail(weights, Math.ceil(Math.min(draws / 5, 3 * Math.sqrt(draws / relativeEfficiency))));
  const normaliser = logSumExp(weights);
  return { logWeights: weights.map((value) => value - normaliser), paretoK, threshold: paretoThreshold(draws) };
}
