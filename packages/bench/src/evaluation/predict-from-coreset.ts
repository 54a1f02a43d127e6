import { disposeTree, foldIn, InterruptedError, type Key, type Network, NonFiniteError, type Tree, treeMap } from '@bpc/core';
import { scalar, zeros } from '@tensorflow/tfjs-core';
import type { EvaluationConfig } from '../config/index.js';
import type { Normalisation, Split, SplitRole } from '../data/dataset.js';
import { batchAugmentation } from './augmentation.js';
import type { ChainHyper, ChainPrograms } from './chain-programs.js';
import { coresetTensors, type HostCoreset } from './host-coreset.js';
import { predictSplit } from './predict-split.js';
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
  /** How many images go through the network at once, at most. */
  readonly imagesPerRun: number;
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

function hyperOf(settings: EvaluationConfig, stepSize: number): ChainHyper {
  const { momentum, priorPrecision, temperature } = settings;
  return {
    stepSize: scalar(stepSize, 'float32'),
    momentum: scalar(momentum, 'float32'),
    precision: scalar(priorPrecision, 'float32'),
    temperature: scalar(temperature, 'float32'),
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
  const { coreset, settings, key, split, normalisation, programs } = options;
  const average = predictionAverage(split.count, coreset.classes);
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
  for (let c = 0; c < settings.chains; c++) {
    const chain = startChain(options, foldIn(key, c));
    try {
      for (let i = 0; i < settings.steps; i++) {
        await chain.move('descend', stepSizeAt(settings, i));
        await advance();
      }
      for (let d = 0; d < settings.draws; d++) {
        for (let i = 0; i < between; i++) {
          await chain.move('langevin', settings.stepSize);
          await advance();
        }
        const logits = await predictSplit({
          predict: programs.logits,
          params: chain.params(),
          split,
          normalisation,
          batch: Math.min(options.imagesPerRun, split.count),
        });
        if (!logits.every(Number.isFinite)) {
          throw new NonFiniteError(
            `chain ${c} of the evaluation diverged`,
            settings.steps + d * between,
            'lower evaluation.stepSize or evaluation.temperature',
          );
        }
        average.draw(logits);
        await advance();
      }
      average.endChain();
    } finally {
      chain.dispose();
    }
  }
  return average.result(settings.temperature > 0 ? 'posterior' : 'ensemble');
}

/** A chain that owns its position. */
interface Chain {
  /** Borrowed until the next move. */
  params(): Tree;
  move(kind: 'descend' | 'langevin', stepSize: number): Promise<void>;
  dispose(): void;
}

function startChain({ network, programs, coreset, settings, split }: PredictFromCoresetOptions, key: Key): Chain {
  const augment = batchAugmentation(settings.augment, split.shape);
  let params = network.init(foldIn(key, INIT));
  let velocity: Tree = treeMap((leaf) => zeros(leaf.shape), params);
  let step = 0;
  return {
    params: () => params,
    async move(kind, stepSize) {
      const at = step++;
      const data = coresetTensors({ ...coreset, x: augment(coreset.x, foldIn(foldIn(key, AUGMENT), at)) });
      const hyper = hyperOf(settings, stepSize);
      try {
        if (kind === 'descend') {
          const next = await programs.descend({ params, velocity }, data, hyper);
          disposeTree({ params, velocity });
          ({ params, velocity } = next);
        } else {
          const next = await programs.langevin(foldIn(foldIn(key, STEP), at), params, data, hyper);
          disposeTree(params);
          params = next;
        }
      } finally {
        disposeTree(data);
        disposeTree(hyper);
      }
    },
    dispose: () => disposeTree({ params, velocity }),
  };
}
