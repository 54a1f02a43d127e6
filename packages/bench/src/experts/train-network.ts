import {
  applyUpdates,
  cosineSchedule,
  crossEntropy,
  disposeTree,
  foldIn,
  InterruptedError,
  type Key,
  type Network,
  NonFiniteError,
  type Program,
  type Runtime,
  sgd,
  type Tree,
  valueAndGrad,
} from '@bpc/core';
import { mean, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { augmentation, type AugmentationVariant } from '../evaluation/augmentation.js';
import type { Normalisation, TrainSplit } from '../data/dataset.js';
import { batchesPerEpoch, batchTensors, epochBatches } from './batches.js';

/** How a network is trained by stochastic gradient descent. */
export interface TrainingSettings {
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Constant rate, or a cosine to zero over all epochs. */
  readonly decay: 'constant' | 'cosine';
  readonly augment: string;
}

type TrainingArguments = [params: Tree, state: Tree, x: Tensor, y: Tensor, augmentation: Tree];
type TrainingResult = { readonly params: Tree; readonly state: Tree; readonly loss: Scalar };

/** Compiled training steps of one network, one program per augmentation; may serve many trainings. */
export interface TrainingPrograms {
  initState(params: Tree): Tree;
  step(variant: AugmentationVariant, ...args: TrainingArguments): Promise<TrainingResult>;
  dispose(): Promise<void>;
}

interface ProgramOptions {
  readonly network: Network<Tree>;
  readonly runtime: Runtime;
  readonly settings: TrainingSettings;
  /** Steps of a whole training, the length of the cosine. */
  readonly totalSteps: number;
}

/**
 * Compiles `θ ← θ − η(g + μv)`, `g = ∇ mean CE + wd·θ`, as PyTorch's SGD. Programs are made when first needed.
 */
export function trainingPrograms({ network, runtime, settings, totalSteps }: ProgramOptions): TrainingPrograms {
  const { learningRate, momentum, weightDecay, decay } = settings;
  const optimizer = sgd({ learningRate: decay === 'cosine' ? cosineSchedule({ peak: learningRate, totalSteps }) : learningRate, momentum, weightDecay });
  const programs = new Map<string, Program<TrainingArguments, TrainingResult>>();
  const programOf = ({ name, apply }: AugmentationVariant) => {
    const kept = programs.get(name);
    if (kept !== undefined) return kept;
    const made = runtime.compile((...[params, state, x, y, parameters]: TrainingArguments): TrainingResult => {
      const { value, grad } = valueAndGrad((p: Tree) => mean(crossEntropy(network.apply(p, apply(x, parameters)), y)))(params);
      // The optimiser made this state itself, in initState.
      const update = optimizer.update(grad, state as readonly Tree[], params);
      return { params: applyUpdates(params, update.updates), state: update.state, loss: value };
    });
    programs.set(name, made);
    return made;
  };
  return {
    initState: (params) => optimizer.init(params),
    step: (variant, ...args) => programOf(variant)(...args),
    async dispose() {
      for (const program of programs.values()) await program.dispose();
      programs.clear();
    },
  };
}

/** What `trainNetwork` needs. */
export interface TrainNetworkOptions {
  readonly network: Network<Tree>;
  readonly programs: TrainingPrograms;
  readonly settings: TrainingSettings;
  readonly split: TrainSplit;
  readonly normalisation: Normalisation;
  /** Which training images are used. */
  readonly points: Int32Array;
  readonly key: Key;
  readonly signal?: AbortSignal;
  /** Steps done, out of all. */
  readonly onStep?: (done: number, total: number, loss: number) => void;
  /** Parameters at initialisation (epoch 0) and after each epoch; borrowed until the promise resolves. */
  readonly onEpoch?: (epoch: number, params: Tree) => Promise<void>;
}

const INIT = 0;
const ORDER = 1;
const AUGMENT = 2;
// Reading a loss back costs little, but a diverged training should not run on for an epoch either.
const watchEvery = 20;

/**
 * Trains a network from a fresh initialisation; equal keys give equal weights, whatever else runs.
 *
 * @returns the last parameters, owned by the caller.
 * @throws NonFiniteError when the loss diverges; InterruptedError when the signal is aborted.
 */
export async function trainNetwork(options: TrainNetworkOptions): Promise<Tree> {
  const { network, programs, settings, split, normalisation, points, key, signal, onStep, onEpoch } = options;
  const augment = augmentation(settings.augment, split.shape);
  const total = settings.epochs * batchesPerEpoch(points.length, settings.batch);
  let params = network.init(foldIn(key, INIT));
  let state = programs.initState(params);
  let step = 0;
  try {
    await onEpoch?.(0, params);
    for (let epoch = 1; epoch <= settings.epochs; epoch++) {
      for (const indices of epochBatches(points, settings.batch, foldIn(key, ORDER), epoch)) {
        if (signal?.aborted === true) throw new InterruptedError(`training stopped at step ${step}`, step, 'start it again');
        const { variant, parameters } = augment.draw(foldIn(foldIn(key, AUGMENT), step), indices.length);
        const batch = batchTensors(split, indices, { normalisation, classes: network.outputs });
        let next: TrainingResult;
        try {
          next = await programs.step(variant, params, state, batch.x, batch.y, parameters);
        } finally {
          disposeTree(batch);
          disposeTree(parameters);
        }
        disposeTree(params);
        disposeTree(state);
        ({ params, state } = next);
        step++;
        const watched = step % watchEvery === 0 || step === total;
        const loss = watched ? (await next.loss.data())[0] : undefined;
        disposeTree(next.loss);
        if (loss !== undefined) {
          if (!Number.isFinite(loss)) throw new NonFiniteError(`the training loss is ${loss} at step ${step}`, step, 'lower the learning rate of this training');
          onStep?.(step, total, loss);
        }
      }
      await onEpoch?.(epoch, params);
    }
  } catch (error) {
    disposeTree(params);
    throw error;
  } finally {
    disposeTree(state);
  }
  return params;
}
