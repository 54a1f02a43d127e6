import type { Split, SplitRole } from '../data/dataset.js';
import type { ReliabilityBin } from '../metrics/calibration.js';
import { evaluatePredictions } from '../metrics/evaluate-predictions.js';
import { legacyEce } from '../metrics/legacy.js';
import type { Inference, Prediction } from './prediction-average.js';

/** Figures by name: fractions and nats. */
export type Figures = Readonly<Record<string, number>>;

/** Figures of one network on its own. */
export interface NetworkScore {
  readonly metrics: Figures;
  readonly legacy: Figures;
}

/** One row of one seed. */
export interface Score extends NetworkScore {
  readonly inference: Inference;
  /** Of the averaged prediction; of point estimates, means over `networks`. */
  readonly metrics: Figures;
  /**
   * What published code would have printed, for comparison with its tables only: `legacyNll` and `legacyEce` batch by batch,
   * `legacyAccuracy` the mean accuracy of single draws.
   */
  readonly legacy: Figures;
  readonly reliability: readonly ReliabilityBin[];
  /** Of point estimates: each network's own figures. */
  readonly networks?: readonly NetworkScore[];
}

/** Measures a prediction on the whole split. */
export function scorePrediction(prediction: Prediction, split: Pick<Split<SplitRole>, 'labels'>): Score {
  const { metrics, reliability } = evaluatePredictions([prediction.logProbabilities], split.labels);
  const { accuracy, nll, brier, ece, eceMax, eceRms, adaptiveEce, classwiseEce, predictiveEntropy } = metrics;
  const { expectedEntropy, meanSingleModelNll, disagreementWithin, disagreementBetween, acceptance } = prediction;
  return {
    inference: prediction.inference,
    metrics: {
      ...{ accuracy, nll, brier, ece, eceMax, eceRms, adaptiveEce, classwiseEce },
      ...{ predictiveEntropy, expectedEntropy, mutualInformation: predictiveEntropy - expectedEntropy, meanSingleModelNll },
      ...(disagreementWithin === undefined ? {} : { disagreementWithin }),
      ...(disagreementBetween === undefined ? {} : { disagreementBetween }),
      ...(acceptance === undefined ? {} : { acceptance }),
    },
    legacy: {
      legacyAccuracy: prediction.meanSingleModelAccuracy,
      legacyNll: prediction.legacyNll,
      legacyEce: legacyEce(prediction.logProbabilities.map(Math.exp), split.labels),
    },
    reliability,
  };
}

function meanFigures(all: readonly Figures[]): Figures {
  const [first = {}] = all;
  const mean = (name: string) => all.reduce((sum, figures) => sum + (figures[name] ?? Number.NaN), 0) / all.length;
  return Object.fromEntries(Object.keys(first).map((name) => [name, mean(name)]));
}

/**
 * One score of networks that stand each on its own.
 *
 * The reliability bins are the first network's: bins of different networks hold different points.
 */
export function pointEstimateScore(networks: readonly Score[]): Score {
  const own = networks.map(({ metrics, legacy }): NetworkScore => ({ metrics, legacy }));
  return {
    inference: 'point estimates',
    metrics: meanFigures(own.map(({ metrics }) => metrics)),
    legacy: meanFigures(own.map(({ legacy }) => legacy)),
    reliability: networks[0]?.reliability ?? [],
    networks: own,
  };
}
