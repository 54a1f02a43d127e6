import { disposeTree, foldIn, hostPermutation, type Key, NonFiniteError, type Tree, treeMap } from '@bpc/core';
import { tensor, tensor1d, zeros } from '@tensorflow/tfjs-core';
import type { EvaluationConfig } from '../config/index.js';
import type { ImageShape } from '../data/dataset.js';
import { type BatchAugmentation, batchAugmentation } from './augmentation.js';
import type { ChainData } from './chain-energy.js';
import type { HostCoreset } from './host-coreset.js';
import { isPastHalfway, learningRateAt } from './learning-rate.js';
import { moveCounter } from './move-counter.js';
import { chainHyper } from './posterior-sampler.js';
import type { PredictFromCoresetOptions } from './predict-from-coreset.js';
import { predictSplit } from './predict-split.js';
import { type Prediction, predictionAverage } from './prediction-average.js';

const INIT = 0;
const ORDER = 1;
const AUGMENT = 2;

interface BatchOptions {
  readonly coreset: HostCoreset;
  readonly shape: ImageShape;
  readonly augment: BatchAugmentation;
  readonly batch: number;
  readonly key: Key;
}

/** Points of a coreset in a fresh order per epoch, cut into batches; the last one may be smaller. The caller disposes the tensors. */
function* epochBatches({ coreset, shape, augment, batch, key }: BatchOptions, epoch: number): Generator<ChainData> {
  const { x, y, weights, classes } = coreset;
  const points = weights.length;
  const size = x.length / points;
  const order = points <= batch ? Int32Array.from(weights.keys()) : hostPermutation(foldIn(foldIn(key, ORDER), epoch), points);
  for (let start = 0; start < points; start += batch) {
    const chosen = order.subarray(start, Math.min(start + batch, points));
    const rows = <T extends Float32Array>(values: T, width: number): Float32Array => {
      const picked = new Float32Array(chosen.length * width);
      chosen.forEach((point, i) => {
        picked.set(values.subarray(point * width, (point + 1) * width), i * width);
      });
      return picked;
    };
    const images = augment(rows(x, size), foldIn(foldIn(foldIn(key, AUGMENT), epoch), start));
    yield {
      x: tensor(images, [chosen.length, ...shape], 'float32'),
      y: tensor(rows(y, classes), [chosen.length, classes], 'float32'),
      weights: tensor1d(rows(weights, 1), 'float32'),
    };
  }
}

const resting = (params: Tree): Tree => treeMap((leaf) => zeros(leaf.shape), params);

/** One network of the protocol, trained; owned by the caller. */
async function trainOnCoreset(
  { network, programs, settings, coreset, shape }: PredictFromCoresetOptions,
  key: Key,
  onMoved: (moves: number) => Promise<void>,
): Promise<Tree> {
  const batches = { coreset, shape, augment: batchAugmentation(settings.augment, shape), batch: settings.batch, key };
  let params = network.init(foldIn(key, INIT));
  let velocity = resting(params);
  try {
    for (let epoch = 0; epoch < settings.steps; epoch++) {
      if (startsAnew(settings, epoch)) {
        disposeTree(velocity);
        velocity = resting(params);
      }
      const hyper = chainHyper(settings, learningRateAt(settings, epoch));
      try {
        for (const data of epochBatches(batches, epoch)) {
          try {
            const next = await programs.descend({ params, velocity }, data, hyper);
            disposeTree({ params, velocity });
            ({ params, velocity } = next);
          } finally {
            disposeTree(data);
          }
          await onMoved(1);
        }
      } finally {
        disposeTree(hyper);
      }
    }
  } catch (error) {
    disposeTree(params);
    throw error;
  } finally {
    disposeTree(velocity);
  }
  return params;
}

/** The released code makes a new optimiser for the lower learning rate, which forgets the momentum. */
const startsAnew = ({ decay, steps }: EvaluationConfig, epoch: number): boolean =>
  decay === 'halfway' && isPastHalfway(epoch, steps) && !isPastHalfway(epoch - 1, steps);

/**
 * The point estimates of the code released with BPC-CD: networks trained on the coreset from fresh initialisations, each of
 * which is scored alone; there is no posterior, and no average over networks.
 *
 * SGD with momentum 0.9 and weight decay 5·10⁻⁴ on the mean cross-entropy of batches of 256 under augmentation, 1001 epochs, a
 * tenth of the learning rate after half of them, 5 networks (all by default; see `evaluationFor`). What is not reproduced:
 * that code scores the test set every 100 outer steps and reports the best one, and its first version adds 0.05 to the
 * accuracy. Here the coreset is what it is given, scored once.
 *
 * @returns one prediction per network. @throws NonFiniteError when a training diverges; InterruptedError when aborted.
 */
export async function pointEstimates(options: PredictFromCoresetOptions): Promise<Prediction[]> {
  const { coreset, settings, key, batches, labels, programs } = options;
  const perEpoch = Math.ceil(coreset.weights.length / settings.batch);
  const onMoved = moveCounter({ ...options, total: settings.chains * (settings.steps * perEpoch + 1) });
  const predictions: Prediction[] = [];
  for (let n = 0; n < settings.chains; n++) {
    const params = await trainOnCoreset(options, foldIn(key, n), onMoved);
    try {
      const logits = await predictSplit({ predict: programs.logits, params, batches });
      if (!logits.every(Number.isFinite)) {
        throw new NonFiniteError(`network ${n} of the evaluation diverged`, settings.steps * perEpoch, 'lower evaluation.stepSize');
      }
      const average = predictionAverage(labels, coreset.classes);
      average.draw(logits);
      average.endChain();
      predictions.push(average.result('point estimates'));
    } finally {
      disposeTree(params);
    }
    await onMoved(1);
  }
  return predictions;
}
