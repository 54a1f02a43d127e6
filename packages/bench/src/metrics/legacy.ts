import { ConfigError } from '@bpc/core';
import { topPredictions } from './calibration.js';
import { at, type EnsembleLogits, type FloatArray, logSumExp } from './predictions.js';
import { logLikelihoodsPerModel } from './scores.js';

/**
 * The batch-wise NLL of the code released with Kim et al. 2022; only to compare with tables made by it.
 *
 * Per batch `b` of consecutive points `−log mean_s exp(mean_{i∈b} log p_s(y_i | x_i))`, averaged with the batch sizes. By
 * Hölder never below `nll`, and it tends to `meanSingleModelNll`: it hides what averaging gains.
 *
 * @throws ShapeError, ConfigError if logits and labels do not fit or `batchSize` is not a positive integer.
 */
export function legacyNll(logits: EnsembleLogits, labels: ArrayLike<number>, batchSize = 128): number {
  const models = logLikelihoodsPerModel(logits, labels);
  let sum = 0;
  for (const [start, end] of batches(labels.length, batchSize)) {
    const means = Float64Array.from(models, (model) => model.subarray(start, end).reduce((a, b) => a + b, 0) / (end - start));
    sum -= (end - start) * (logSumExp(means) - Math.log(models.length));
  }
  return sum / labels.length;
}

/**
 * The batch-wise calibration error of the same code; only to compare with tables made by it.
 *
 * `edges` equally spaced edges in [0, 1]; `Σ_batches Σ_bins |Σ (correct − confidence)| / N`. A perfectly calibrated predictor
 * scores about 0.14, because the gaps of small batches cannot cancel.
 *
 * @throws as `legacyNll`.
 */
export function legacyEce(
  probabilities: FloatArray,
  labels: ArrayLike<number>,
  options: { readonly batchSize?: number; readonly edges?: number } = {},
): number {
  const { batchSize = 128, edges = 30 } = options;
  const { confidence, correct } = topPredictions(probabilities, labels);
  let sum = 0;
  for (const [start, end] of batches(labels.length, batchSize)) {
    const gaps = new Float64Array(edges - 1);
    for (let i = start; i < end; i++) {
      const bin = Math.min(Math.max(Math.ceil(at(confidence, i) * (edges - 1)) - 1, 0), edges - 2);
      gaps[bin] = at(gaps, bin) + at(correct, i) - at(confidence, i);
    }
    sum += gaps.reduce((a, b) => a + Math.abs(b), 0);
  }
  return sum / labels.length;
}

function* batches(count: number, size: number): Generator<readonly [number, number]> {
  if (!Number.isInteger(size) || size < 1)
    throw new ConfigError(`batchSize is ${size}, expected a positive integer`, 'pass 128 to compare with published tables');
  for (let start = 0; start < count; start += size) yield [start, Math.min(start + size, count)];
}

/** `legacyNll` of draws that come one at a time; memory does not grow with their number. */
export interface LegacyNllAverage {
  /** Adds `log p(y_i | x_i, θ)` of one draw for every point. */
  draw(logLikelihoods: Float64Array): void;
  /** NaN before the first draw. */
  result(): number;
}

/** An empty `legacyNll` over `count` points. @throws ConfigError if `batchSize` is not a positive integer. */
export function legacyNllAverage(count: number, batchSize = 128): LegacyNllAverage {
  const parts = [...batches(count, batchSize)];
  // Per batch the largest mean so far and Σ exp(mean − largest): a log-sum-exp that is never wholly in memory.
  const largest = new Float64Array(parts.length).fill(Number.NEGATIVE_INFINITY);
  const sums = new Float64Array(parts.length);
  let draws = 0;
  return {
    draw(logLikelihoods) {
      for (const [b, [start, end]] of parts.entries()) {
        let mean = 0;
        for (let i = start; i < end; i++) mean += at(logLikelihoods, i);
        mean /= end - start;
        const top = Math.max(at(largest, b), mean);
        sums[b] = at(sums, b) * Math.exp(at(largest, b) - top) + Math.exp(mean - top);
        largest[b] = top;
      }
      draws++;
    },
    result() {
      let sum = 0;
      for (const [b, [start, end]] of parts.entries()) sum -= (end - start) * (at(largest, b) + Math.log(at(sums, b)) - Math.log(draws));
      return draws === 0 ? Number.NaN : sum / count;
    },
  };
}
