import { ConfigError } from '@bpc/core';
import { at, bmaProbabilities, checkEnsemble, type EnsembleLogits, logSumExp } from './predictions.js';
import { entropyDecomposition } from './scores.js';

/** Scores per point; larger means further from the training distribution. */
export interface OodScores {
  /** `−max_c p̄_c` */
  readonly maxProbability: Float64Array;
  /** `H(p̄)`, nats */
  readonly entropy: Float64Array;
  /** Mutual information of label and parameters, nats */
  readonly mutualInformation: Float64Array;
  /** `−(1/K) Σ_k log Σ_c exp(logits_k,c)`. Source: Liu et al. 2020, "Energy-based out-of-distribution detection", eq. 4. */
  readonly energy: Float64Array;
}

/**
 * The usual out-of-distribution scores of an ensemble.
 *
 * @throws ShapeError, ConfigError as `bmaProbabilities`.
 */
export function oodScores(logits: EnsembleLogits, classes: number): OodScores {
  const points = checkEnsemble(logits, classes);
  const probabilities = bmaProbabilities(logits, classes);
  const { predictive, mutualInformation } = entropyDecomposition(logits, classes);
  const rows = Array.from({ length: points }, (_, i) => i * classes);
  return {
    maxProbability: Float64Array.from(rows, (start) => -Math.max(...probabilities.subarray(start, start + classes))),
    entropy: predictive,
    mutualInformation,
    energy: Float64Array.from(rows, (start) => -logits.reduce((sum, model) => sum + logSumExp(model, start, classes), 0) / logits.length),
  };
}

/** How well a score separates in-distribution from out-of-distribution points. */
export interface OodDetection {
  readonly auroc: number;
  /** Average precision with the in-distribution points as positives (their score is negated). */
  readonly auprIn: number;
  /** Average precision with the out-of-distribution points as positives. */
  readonly auprOut: number;
  /** Share of out-of-distribution points accepted at the smallest threshold that accepts 95 % of the others. */
  readonly fprAt95Tpr: number;
}

/**
 * Detection figures of one score.
 *
 * @throws ConfigError if one of the lists is empty or has a NaN.
 *
 * @example
 * ```ts
 * import { oodDetection } from '@bpc/bench';
 * console.log(oodDetection([0.1, 0.2], [0.8, 0.9]).auroc); // 1
 * ```
 */
export function oodDetection(inside: ArrayLike<number>, outside: ArrayLike<number>): OodDetection {
  const scores = [...Array.from(inside), ...Array.from(outside)];
  const isOutside = scores.map((_, i) => i >= inside.length);
  const sorted = Float64Array.from(inside).sort();
  const threshold = at(sorted, Math.ceil(0.95 * sorted.length) - 1);
  const accepted = Array.from(outside).filter((score) => score <= threshold).length;
  return {
    auroc: auroc(scores, isOutside),
    auprOut: averagePrecision(scores, isOutside),
    auprIn: averagePrecision(
      scores.map((score) => -score),
      isOutside.map((flag) => !flag),
    ),
    fprAt95Tpr: accepted / outside.length,
  };
}

/**
 * Area under the receiver operating characteristic: the chance that a positive scores above a negative, ties counting one half.
 *
 * @throws ConfigError if there are no positives or no negatives, or a score is NaN.
 */
export function auroc(scores: ArrayLike<number>, positive: ArrayLike<boolean | number>): number {
  const { groups, positives, negatives } = thresholds(scores, positive);
  let below = negatives;
  let wins = 0;
  for (const group of groups) {
    below -= group.negatives;
    wins += group.positives * (below + group.negatives / 2);
  }
  return wins / positives / negatives;
}

/**
 * Average precision: `Σ_t (recall_t − recall_{t−1}) precision_t` over falling thresholds, tied scores forming one threshold.
 *
 * @throws ConfigError as `auroc`.
 */
export function averagePrecision(scores: ArrayLike<number>, positive: ArrayLike<boolean | number>): number {
  const { groups, positives } = thresholds(scores, positive);
  let found = 0;
  let seen = 0;
  let sum = 0;
  for (const group of groups) {
    found += group.positives;
    seen += group.positives + group.negatives;
    sum += (group.positives / positives) * (found / seen);
  }
  return sum;
}

/** Points grouped by equal score, highest first. */
function thresholds(scores: ArrayLike<number>, positive: ArrayLike<boolean | number>) {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => at(scores, b) - at(scores, a));
  const groups: { positives: number; negatives: number }[] = [];
  let positives = 0;
  let last = Number.NaN;
  for (const index of order) {
    const score = at(scores, index);
    if (Number.isNaN(score)) throw new ConfigError(`the score of point ${index} is NaN`, 'check the model that made it');
    if (score !== last) groups.push({ positives: 0, negatives: 0 });
    last = score;
    const group = groups.at(-1);
    if (group === undefined) continue;
    const hit = Boolean(positive[index]);
    group[hit ? 'positives' : 'negatives']++;
    if (hit) positives++;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) {
    throw new ConfigError(
      `there are ${positives} positives and ${negatives} negatives, expected some of both`,
      'pass points of both kinds',
    );
  }
  return { groups, positives, negatives };
}
