import { disposeTree, foldIn, type Key, type Network, NonFiniteError, type Tree, treeMap } from '@bpc/core';
import { dispose, zeros } from '@tensorflow/tfjs-core';
import type { EvaluationConfig } from '../config/index.js';
import type { ImageShape } from '../data/dataset.js';
import type { ChainPrograms } from './chain-programs.js';
import { type CoresetPoints, coresetPoints } from './coreset-points.js';
import type { HostCoreset } from './host-coreset.js';
import { learningRateAt } from './learning-rate.js';
import { moveCounter } from './move-counter.js';
import { openSampler } from './open-sampler.js';
import { chainHyper } from './posterior-sampler.js';
import { predictSplit } from './predict-split.js';
import { type Prediction, predictionAverage } from './prediction-average.js';
import type { SplitBatches } from './split-batches.js';

/** What `predictFromCoreset` needs. */
export interface PredictFromCoresetOptions {
  readonly network: Network<Tree>;
  /** Programs of this network, with the reduction of `settings`. */
  readonly programs: ChainPrograms;
  readonly coreset: HostCoreset;
  readonly settings: EvaluationConfig;
  /** Decides initialisations, noise and augmentations; the same for every row of a seed, so that rows are paired. */
  readonly key: Key;
  /** The images to predict. */
  readonly batches: SplitBatches;
  /** Their labels, for the figures of single draws. */
  readonly labels: Int32Array;
  readonly shape: ImageShape;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

const INIT = 0;
const STEP = 1;
const AUGMENT = 2;
const MOMENTUM = 3;

/**
 * Predicts a split with the posterior of a coreset: several chains, each from its own fresh initialisation, trained by SGD
 * with momentum on `U(θ) = reduce w ℓ + ½ρ‖θ‖²`, then draws of `exp(−U/T)` by the sampler of the settings, whose softmax
 * outputs are averaged.
 *
 * - `sgld`, `sghmc`: every step sees its own augmentation of the coreset, a stochastic gradient of the energy averaged over
 *   augmentations.
 * - `hmc`: the draws are of the coreset as it is (see `hmcSampler`); augmentations are for the training before them only.
 *
 * Chains never start from an expert, which has seen the full data: no parameter takes weights. At `T = 0` the result is an
 * ensemble, not a posterior.
 *
 * @throws NonFiniteError when a chain diverges; InterruptedError when the signal is aborted.
 */
export async function predictFromCoreset(options: PredictFromCoresetOptions): Promise<Prediction> {
  const { coreset, settings, key, batches, labels, shape, programs } = options;
  const average = predictionAverage(labels, coreset.classes);
  // At T = 0 there is nothing to diffuse: the optimised network is the only draw.
  const warm = settings.temperature > 0;
  const [burnIn, between] = warm ? [settings.burnIn, settings.thinning] : [0, 0];
  const onMoved = moveCounter({ ...options, total: settings.chains * (settings.steps + burnIn + settings.draws * (between + 1)) });
  const rates: number[] = [];
  for (let c = 0; c < settings.chains; c++) {
    const own = foldIn(key, c);
    const points = coresetPoints({ coreset, strategy: settings.augment, shape, key: foldIn(own, AUGMENT) });
    try {
      const sampler = await openSampler({
        programs,
        settings,
        points,
        key: foldIn(own, STEP),
        startKey: foldIn(own, MOMENTUM),
        moves: settings.steps,
        params: await trained(options, points, own, onMoved),
      });
      try {
        await sampler.advance(burnIn, onMoved);
        sampler.endBurnIn();
        for (let d = 0; d < settings.draws; d++) {
          await sampler.advance(between, onMoved);
          const logits = await predictSplit({ predict: programs.logits, params: sampler.params(), batches });
          if (!logits.every(Number.isFinite)) {
            throw new NonFiniteError(
              `chain ${c} of the evaluation diverged`,
              settings.steps + burnIn + d * between,
              'lower evaluation.stepSize or evaluation.temperature',
            );
          }
          average.draw(logits);
          await onMoved(1);
        }
        average.endChain();
        const rate = sampler.acceptance();
        if (rate !== undefined) rates.push(rate);
      } finally {
        sampler.dispose();
      }
    } finally {
      points.dispose();
    }
  }
  const prediction = average.result(warm ? 'posterior' : 'ensemble');
  return rates.length === 0 ? prediction : { ...prediction, acceptance: rates.reduce((a, b) => a + b, 0) / rates.length };
}

/** Parameters of a fresh network after the training of a chain; owned by the caller. */
async function trained(
  { network, programs, settings }: PredictFromCoresetOptions,
  points: CoresetPoints,
  key: Key,
  onMoved: (moves: number) => Promise<void>,
): Promise<Tree> {
  let params = network.init(foldIn(key, INIT));
  let velocity: Tree = treeMap((leaf) => zeros(leaf.shape), params);
  try {
    for (let i = 0; i < settings.steps; i++) {
      const x = points.augmented(i);
      const hyper = chainHyper(settings, learningRateAt(settings, i));
      try {
        const next = await programs.descend({ params, velocity }, x === undefined ? points.plain : { ...points.plain, x }, hyper);
        disposeTree({ params, velocity });
        ({ params, velocity } = next);
      } finally {
        disposeTree(hyper);
        if (x !== undefined) dispose(x);
      }
      await onMoved(1);
    }
  } catch (error) {
    disposeTree(params);
    throw error;
  } finally {
    disposeTree(velocity);
  }
  return params;
}
