import { disposeTree, foldIn, InterruptedError, type Key, type Network, NonFiniteError, type Tree, treeMap } from '@bpc/core';
import { scalar, zerosLike } from '@tensorflow/tfjs-core';
import type { EvaluationConfig } from '../config/index.js';
import type { Normalisation, Split, SplitRole } from '../data/dataset.js';
import { type Augmentation, augmentation } from './augmentation.js';
import type { ChainHyper, ChainPrograms } from './chain-programs.js';
import { coresetTensors, type HostCoreset } from './host-coreset.js';
import { forwardBatch, predictSplit } from './predict-split.js';
import { type Prediction, predictionAverage } from './prediction-average.js';

/** What `predictFromCoreset` needs. */
export interface PredictFromCoresetOptions {
  readonly network: Network<Tree>;
  /** Programs of this network, with the reduction of `settings`. */
  readonly programs: ChainPrograms;
  readonly coreset: HostCoreset;
  readonly settings: EvaluationConfig;
  /** Decides initialisations, noise and augmentations; the same for every row of a seed, so that rows are paired. */
  readonly key: Key;
  readonly split: Split<SplitRole>;
  readonly normalisation: Normalisation;
  /** Widest layer of the network, which bounds the forward batch. */
  readonly width: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

const INIT = 0;
const STEP = 1;
const AUGMENT = 2;
const yieldEvery = 20;

/** The step size at step `i` of `steps` before the first draw. */
function stepSizeAt({ stepSize, decay, steps }: EvaluationConfig, i: number): number {
  return decay === 'cosine' ? (stepSize / 2) * (1 + Math.cos((Math.PI * i) / steps)) : stepSize;
}

/** One chain's position; replaced step by step, and owned by the loop that runs the chain. */
interface Chain {
  params: Tree;
  velocity: Tree;
}

function startChain(params: Tree): Chain {
  return { params, velocity: treeMap((leaf) => zerosLike(leaf), params) };
}

function disposeChain({ params, velocity }: Chain): void {
  disposeTree(params);
  disposeTree(velocity);
}

function hyperOf(settings: EvaluationConfig, stepSize: number): ChainHyper {
  const { momentum, priorPrecision, temperature } = settings;
  return {
    stepSize: scalar(stepSize, 'float32'),
    momentum: scalar(momentum, 'float32'),
    precision: scalar(priorPrecision, 'float32'),
    noise: scalar(Math.sqrt(2 * stepSize * temperature), 'float32'),
  };
}

/**
 * Predicts a split with the posterior of a coreset: several chains, each from its own fresh initialisation, trained by SGD
 * with momentum on `U(θ) = reduce w ℓ + ½ρ‖θ‖²`, then Langevin draws of `exp(−U/T)`, whose softmax outputs are averaged.
 *
 * Chains never start from an expert, which has seen the full data. At `T = 0` the result is an ensemble, not a posterior.
 *
 * @throws NonFiniteError when a chain diverges; InterruptedError when the signal is aborted.
 */
export async function predictFromCoreset(options: PredictFromCoresetOptions): Promise<Prediction> {
  const { network, coreset: host, settings, key, split, normalisation, width, programs } = options;
  const augment = augmentation(settings.augment, split.shape);
  const average = predictionAverage(split.count, host.classes);
  // At T = 0 there is nothing to diffuse: the optimised network is the only draw.
  const between = settings.temperature > 0 ? settings.thinning : 0;
  const total = settings.chains * (settings.steps + settings.draws * (between + 1));
  let done = 0;
  const advance = async () => {
    done++;
    if (done % yieldEvery !== 0 && done !== total) return;
    options.onProgress?.(done, total);
    // Native runs block the thread; without a turn of the event loop, no abort would ever arrive.
    await new Promise((resolve) => setImmediate(resolve));
    if (options.signal?.aborted === true) throw new InterruptedError('stopped while evaluating', done, 'start the same command again');
  };
  const coreset = coresetTensors(host);
  try {
    for (let c = 0; c < settings.chains; c++) {
      const chainKey = foldIn(key, c);
      const chain = startChain(network.init(foldIn(chainKey, INIT)));
      try {
        let step = 0;
        const move = (kind: 'descend' | 'langevin', stepSize: number) => {
          const at = step++;
          return advanceChain({ kind, chain, programs, coreset, augment, hyper: hyperOf(settings, stepSize), key: chainKey, step: at });
        };
        for (let i = 0; i < settings.steps; i++) {
          await move('descend', stepSizeAt(settings, i));
          await advance();
        }
        for (let d = 0; d < settings.draws; d++) {
          for (let i = 0; i < between; i++) {
            await move('langevin', settings.stepSize);
            await advance();
          }
          const logits = await predictSplit({ predict: programs.logits, params: chain.params, split, normalisation, batch: forwardBatch(split, width) });
          if (!logits.every(Number.isFinite)) {
            throw new NonFiniteError(`chain ${c} of the evaluation diverged`, step, 'lower evaluation.stepSize or evaluation.temperature');
          }
          average.draw(logits);
          await advance();
        }
        average.endChain();
      } finally {
        disposeChain(chain);
      }
    }
  } finally {
    disposeTree(coreset);
  }
  return average.result(settings.temperature > 0 ? 'posterior' : 'ensemble');
}

interface Move {
  readonly kind: 'descend' | 'langevin';
  readonly chain: Chain;
  readonly programs: ChainPrograms;
  readonly coreset: ReturnType<typeof coresetTensors>;
  readonly augment: Augmentation;
  readonly hyper: ChainHyper;
  readonly key: Key;
  readonly step: number;
}

async function advanceChain({ kind, chain, programs, coreset, augment, hyper, key, step }: Move): Promise<void> {
  const { variant, parameters } = augment.draw(foldIn(foldIn(key, AUGMENT), step), coreset.x.shape[0] ?? 0);
  const data = { ...coreset, augmentation: parameters };
  try {
    if (kind === 'descend') {
      const next = await programs.descend(variant, chain.params, chain.velocity, data, hyper);
      disposeChain(chain);
      Object.assign(chain, next);
    } else {
      const next = await programs.langevin(variant, foldIn(foldIn(key, STEP), step), chain.params, data, hyper);
      disposeTree(chain.params);
      chain.params = next;
    }
  } finally {
    disposeTree(parameters);
    disposeTree(hyper);
  }
}
