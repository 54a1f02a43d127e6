import { ConfigError } from '@bpc/core';
import { argMax, at, checkTable, type FloatArray } from './predictions.js';

/** One bin of a reliability diagram: confidences in `(lower, upper]`. */
export interface ReliabilityBin {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
  /** Share of correct points; 0 if the bin is empty. */
  readonly accuracy: number;
  /** Mean confidence; 0 if the bin is empty. */
  readonly confidence: number;
}

/** Options of the binned calibration errors. */
export interface EceOptions {
  /** Number of bins. Default 15, the usual choice since Guo et al. 2017. */
  readonly bins?: number;
  /** `l1`: weighted mean gap; `max`: largest gap; `rms`: root of the weighted mean squared gap. Default `l1`. */
  readonly norm?: 'l1' | 'max' | 'rms';
}

/**
 * Accuracy against confidence in equal-width bins `(k/bins, (k+1)/bins]`, over the whole set.
 *
 * @param probabilities - `[points, classes]`.
 * @throws ConfigError if `bins` is not a positive integer; ShapeError, ConfigError if table and labels do not fit.
 *
 * @example
 * ```ts
 * import { reliabilityBins } from '@bpc/bench';
 * const bins = reliabilityBins(Float64Array.of(0.9, 0.1, 0.4, 0.6), [0, 0], 2);
 * console.log(bins[1]); // { lower: 0.5, upper: 1, count: 2, accuracy: 0.5, confidence: 0.75 }
 * ```
 */
export function reliabilityBins(probabilities: FloatArray, labels: ArrayLike<number>, bins = 15): ReliabilityBin[] {
  const { confidence, correct } = topPredictions(probabilities, labels);
  return binned(confidence, correct, bins);
}

/**
 * Expected calibration error of the top prediction, over the whole set (never per batch).
 *
 * `Σ_b (n_b/N) |acc_b − conf_b|` for `l1`. Source: Guo et al. 2017, "On calibration of modern neural networks", eq. 3 (l1), 5 (max).
 *
 * @throws as `reliabilityBins`.
 *
 * @example
 * ```ts
 * import { ece } from '@bpc/bench';
 * console.log(ece(Float64Array.of(0.75, 0.25, 0.75, 0.25), [0, 1], { norm: 'l1' })); // 0.25
 * ```
 */
export function ece(probabilities: FloatArray, labels: ArrayLike<number>, options: EceOptions = {}): number {
  const { bins = 15, norm = 'l1' } = options;
  return norms[norm](reliabilityBins(probabilities, labels, bins));
}

/**
 * Calibration error in bins of equal size: confidences ascending, cut into `bins` groups whose sizes differ by at most one
 * (the first groups get the extra point); `Σ_g (n_g/N) |acc_g − conf_g|`. Source: Nguyen & O'Connor 2015.
 *
 * @throws as `reliabilityBins`.
 */
export function adaptiveEce(probabilities: FloatArray, labels: ArrayLike<number>, bins = 15): number {
  checkBins(bins);
  const { confidence, correct } = topPredictions(probabilities, labels);
  const order = Array.from(confidence.keys()).sort((a, b) => at(confidence, a) - at(confidence, b));
  const small = Math.floor(order.length / bins);
  const extra = order.length % bins;
  let start = 0;
  let total = 0;
  for (let b = 0; b < bins; b++) {
    const end = start + small + (b < extra ? 1 : 0);
    let gap = 0;
    for (let i = start; i < end; i++) gap += at(correct, at(order, i)) - at(confidence, at(order, i));
    total += Math.abs(gap);
    start = end;
  }
  return total / order.length;
}

/**
 * Classwise calibration error: the equal-width error of `p_c` against `1[y = c]`, for every class.
 *
 * @returns `mean` over classes and the errors `perClass`. Source: Kull et al. 2019, "Beyond temperature scaling", eq. 2.
 * @throws as `reliabilityBins`.
 */
export function classwiseEce(
  probabilities: FloatArray,
  labels: ArrayLike<number>,
  bins = 15,
): { readonly mean: number; readonly perClass: Float64Array } {
  const classes = checkTable(probabilities, labels);
  const perClass = Float64Array.from({ length: classes }, (_, c) => {
    const confidence = Float64Array.from({ length: labels.length }, (_, i) => at(probabilities, i * classes + c));
    const hits = Uint8Array.from({ length: labels.length }, (_, i) => (labels[i] === c ? 1 : 0));
    return norms.l1(binned(confidence, hits, bins));
  });
  return { mean: perClass.reduce((a, b) => a + b, 0) / classes, perClass };
}

/** Confidence and correctness of the most probable class, per point. */
export function topPredictions(
  probabilities: FloatArray,
  labels: ArrayLike<number>,
): { readonly confidence: Float64Array; readonly correct: Uint8Array } {
  const classes = checkTable(probabilities, labels);
  const confidence = new Float64Array(labels.length);
  const correct = new Uint8Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    const best = argMax(probabilities, i * classes, classes);
    confidence[i] = at(probabilities, i * classes + best);
    correct[i] = best === labels[i] ? 1 : 0;
  }
  return { confidence, correct };
}

function binned(confidence: Float64Array, hits: Uint8Array, bins: number): ReliabilityBin[] {
  checkBins(bins);
  const counts = new Float64Array(bins);
  const accuracies = new Float64Array(bins);
  const confidences = new Float64Array(bins);
  confidence.forEach((p, i) => {
    const b = binOf(p, bins);
    counts[b] = at(counts, b) + 1;
    accuracies[b] = at(accuracies, b) + at(hits, i);
    confidences[b] = at(confidences, b) + p;
  });
  return Array.from(counts, (count, b) => ({
    lower: b / bins,
    upper: (b + 1) / bins,
    count,
    accuracy: at(accuracies, b) / Math.max(count, 1),
    confidence: at(confidences, b) / Math.max(count, 1),
  }));
}

function binOf(p: number, bins: number): number {
  const guess = Math.min(Math.max(Math.ceil(p * bins) - 1, 0), bins - 1);
  // p · bins may round across an edge; the edge itself belongs to the lower bin.
  if (p <= guess / bins) return Math.max(guess - 1, 0);
  return p > (guess + 1) / bins ? Math.min(guess + 1, bins - 1) : guess;
}

function checkBins(bins: number): void {
  if (!Number.isInteger(bins) || bins < 1) throw new ConfigError(`bins is ${bins}, expected a positive integer`, 'pass bins of at least 1');
}

const total = (bins: readonly ReliabilityBin[]): number => bins.reduce((sum, { count }) => sum + count, 0);
const gap = (bin: ReliabilityBin): number => Math.abs(bin.accuracy - bin.confidence);

const norms: Record<NonNullable<EceOptions['norm']>, (bins: readonly ReliabilityBin[]) => number> = {
  l1: (bins) => bins.reduce((sum, bin) => sum + bin.count * gap(bin), 0) / total(bins),
  max: (bins) => Math.max(...bins.map(gap)),
  rms: (bins) => Math.sqrt(bins.reduce((sum, bin) => sum + bin.count * gap(bin) ** 2, 0) / total(bins)),
};
