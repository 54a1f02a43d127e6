import type { Split, SplitRole } from '../data/dataset.js';
import type { ReliabilityBin } from '../metrics/calibration.js';
import { evaluatePredictions } from '../metrics/evaluate-predictions.js';
import type { Prediction } from './prediction-average.js';

/** One row of one seed. */
export interface Score {
  readonly inference: Prediction['inference'];
  /** Fractions and nats. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly reliability: readonly ReliabilityBin[];
}

/** Measures a prediction on the whole split. */
export function scorePrediction(prediction: Prediction, split: Split<SplitRole>): Score {
  const { metrics, reliability } = evaluatePredictions([prediction.logProbabilities], split.labels);
  const { accuracy, nll, brier, ece, eceMax, adaptiveEce, classwiseEce, predictiveEntropy } = metrics;
  const { disagreementWithin, disagreementBetween } = prediction;
  return {
    inference: prediction.inference,
    metrics: {
      ...{ accuracy, nll, brier, ece, eceMax, adaptiveEce, classwiseEce, predictiveEntropy },
      ...(disagreementWithin === undefined ? {} : { disagreementWithin }),
      ...(disagreementBetween === undefined ? {} : { disagreementBetween }),
    },
    reliability,
  };
}
