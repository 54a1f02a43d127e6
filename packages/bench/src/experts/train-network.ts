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
import { batchAugmentation } from '../evaluation/augmentation.js';
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

type TrainingResult = { readonly params: Tree; readonly state: readonly Tree[]; readonly loss: Scalar };

/** The compiled training step of one network; may serve many trainings. */
export interface TrainingProgram {
  initState(params: Tree): readonly Tree[];
  readonly step: Program<[params: Tree, state: readonly Tree[], x: Tensor, y: Tensor], TrainingResult>;
}

interface ProgramOptions {
  readonly network: Network<Tree>;
  readonly runtime: Runtime;
  readonly settings: TrainingSettings;
  /** Steps of a whole training, the length of the cosine. */
  readonly totalSteps: number;
}

/**
 * Compiles `v ← μv + g`, `θ ← θ − ηv` with `g = ∇ mean CE + wd·θ`, as PyTorch's SGD.
 */
export function trainingProgram({ network, runtime, settings, totalSteps }: ProgramOptions): TrainingProgram {
  const { learningRate, momentum, weightDecay, decay } = settings;
  const optimizer = sgd({ learningRate: decay === 'cosine' ? cosineSchedule({ peak: learningRate, totalSteps }) : learningRate, momentum, weightDecay });
  const step = runtime.compile((params: Tree, state: readonly Tree[], x: Tensor, y: Tensor): TrainingResult => {
    const { value, grad } = valueAndGrad((p: Tree) => mean(crossEntropy(network.apply(p, x), y)))(params);
    const update = optimizer.update(grad, state, params);
    return { params: applyUpdates(params, update.updates), state: update.state, loss: value };
  });
  return { initState: (params) => optimizer.init(params), step };
}

/** What `trainNetwork` needs. */
export interface TrainNetworkOptions {
  readonly network: Network<Tree>;
  readonly program: TrainingProgram;
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
  const { network, program, settings, split, normalisation, points, key, signal, onStep, onEpoch } = options;
  const augment = batchAugmentation(settings.augment, split.shape);
  const total = settings.epochs * batchesPerEpoch(points.length, settings.batch);
  let params = network.init(foldIn(key, INIT));
  let state = program.initState(params);
  let step = 0;
  try {
    await onEpoch?.(0, params);
    for (let epoch = 1; epoch <= settings.epochs; epoch++) {
      for (const indices of epochBatches(points, settings.batch, foldIn(key, ORDER), epoch)) {
        if (signal?.aborted === true) throw new InterruptedError(`training stopped at step ${step}`, step, 'start it again');
        const augmentKey = foldIn(foldIn(key, AUGMENT), step);
        const batch = batchTensors(split, indices, { normalisation, classes: network.outputs, augment: (images) => augment(images, augmentKey) });
        let next: TrainingResult;
        try {
          next = await program.step(params, state, batch.x, batch.y);
        } finally {
          disposeTree(batch);
        }
        disposeTree(params);
        disposeTree(state);
        ({ params, state } = next);
        step++;
        // Compiled steps never wait for anything, so an abort would not arrive without this turn of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
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
