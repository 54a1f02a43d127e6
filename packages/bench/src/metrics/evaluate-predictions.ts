import { adaptiveEce, classwiseEce, ece, type ReliabilityBin, reliabilityBins } from './calibration.js';
import { bmaProbabilities, type EnsembleLogits } from './predictions.js';
import { accuracy, brier, entropyDecomposition, meanSingleModelNll, nll } from './scores.js';

/** The figures of one row and one seed; fractions and nats. */
export type PredictionMetrics = {
  readonly accuracy: number;
  readonly nll: number;
  readonly meanSingleModelNll: number;
  readonly brier: number;
  readonly ece: number;
  readonly eceMax: number;
  readonly eceRms: number;
  readonly adaptiveEce: number;
  readonly classwiseEce: number;
  /** Mean over points, nats. */
  readonly predictiveEntropy: number;
  /** Mean over points, nats. */
  readonly mutualInformation: number;
};

/**
 * All whole-set metrics of an ensemble's predictions at once.
 *
 * @param logits - per model `[points, classes]`.
 * @returns the metrics and the bins of the reliability diagram.
 * @throws ShapeError, ConfigError if logits and labels do not fit or a logit is NaN.
 *
 * @example
 * ```ts
 * import { evaluatePredictions } from '@bpc/bench';
 * const { metrics } = evaluatePredictions([Float32Array.of(3, 0, 0, 3)], [0, 1]);
 * console.log(metrics.accuracy, metrics.nll); // 1 0.0485…
 * ```
 */
export function evaluatePredictions(
  logits: EnsembleLogits,
  labels: ArrayLike<number>,
  options: { readonly bins?: number } = {},
): { readonly metrics: PredictionMetrics; readonly reliability: readonly ReliabilityBin[] } {
  const { bins = 15 } = options;
  const ownNll = nll(logits, labels);
  const classes = (logits[0]?.length ?? 0) / labels.length;
  const probabilities = bmaProbabilities(logits, classes);
  const entropies = entropyDecomposition(logits, classes);
  const metrics = {
    accuracy: accuracy(probabilities, labels),
    nll: ownNll,
    meanSingleModelNll: meanSingleModelNll(logits, labels),
    brier: brier(probabilities, labels),
    ece: ece(probabilities, labels, { bins }),
    eceMax: ece(probabilities, labels, { bins, norm: 'max' }),
    eceRms: ece(probabilities, labels, { bins, norm: 'rms' }),
    adaptiveEce: adaptiveEce(probabilities, labels, bins),
    classwiseEce: classwiseEce(probabilities, labels, bins).mean,
    predictiveEntropy: mean(entropies.predictive),
    mutualInformation: mean(entropies.mutualInformation),
  };
  return { metrics, reliability: reliabilityBins(probabilities, labels, bins) };
}

const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;
