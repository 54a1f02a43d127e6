import {
  type Coreset,
  contrastiveDivergence,
  type Divergence,
  descentDraws,
  disposeTree,
  type ExpertSource,
  forwardKl,
  type Key,
  langevinDraws,
  laplaceDraws,
  learn,
  type PosteriorDraws,
  psvi,
  type Runtime,
  reverseKl,
  sampled,
  wasserstein,
} from '@bpc/core';
import type { MlpParams } from '@bpc/models';
import { tensor, tensor1d } from '@tensorflow/tfjs-core';
import { coresetOptimizer, keepWeightsNonNegative } from '../../methods/coreset-optimizer.js';
import { batchSource } from './experts.js';
import { modelOf, stepUnit } from './model.js';
import { type ClosenessProblem, type HostPoints, trainCount } from './problem.js';
import type { DivergenceName, Settings } from './spaces.js';

/** Real points per estimate of the methods that look at them. */
const REAL_BATCH = 256;
/** More points than a coreset here has: none is taken in chunks. */
const POINTS_AT_ONCE = 256;

/** Settings by name, checked for being there: they come from a file after a resumed run. */
function reader(settings: Settings) {
  return {
    number(name: string): number {
      const value = settings[name];
      if (typeof value !== 'number') throw new RangeError(`setting ${name} is ${String(value)}, expected a number`);
      return value;
    },
    is: (name: string, value: number | string): boolean => settings[name] === value,
  };
}

/** A divergence with its settings, and what `sampled` has to give it. */
interface Configured {
  readonly divergence: Divergence;
  /** Epochs between the snapshot where inner steps begin and the expert. */
  readonly ahead: number;
  /** Whether early snapshots count as experts. */
  readonly late: boolean;
}

/**
 * Energies are sums: with weights of N/M the pseudo-posterior at T = 1 is π(θ) Π p(y_m | x_m, θ)^{N/M}, which counts as much
 * evidence as the data have. A mean energy differs in units of step sizes and temperatures, and in a prior that weighs N/M
 * times too much.
 */
function configure(method: DivergenceName, problem: ClosenessProblem, settings: Settings): Configured {
  const { number, is } = reader(settings);
  const energy = { reduction: 'sum', pointsAtOnce: POINTS_AT_ONCE } as const;
  const inner = () => ({ ...energy, steps: number('innerSteps'), stepSize: number('stepSize') * stepUnit(problem) });
  const posterior = (): PosteriorDraws => {
    if (is('posterior', 'laplace')) return laplaceDraws({ steps: problem.likelihood === 'normal' ? 2 : 6, pointsAtOnce: POINTS_AT_ONCE });
    const chain = { ...inner(), sigma: number('sigma'), from: 'start' } as const;
    return is('posterior', 'langevin') || is('temperature', 1) ? langevinDraws({ ...chain, temperature: 1 }) : descentDraws(chain);
  };
  // Laplace approximations begin at the expert itself.
  const ahead = () => (is('posterior', 'laplace') ? 0 : number('ahead'));
  switch (method) {
    case 'bpc-cd': {
      const divergence = contrastiveDivergence({ ...inner(), temperature: number('temperature'), sigma: number('sigma') });
      return { divergence, ahead: 0, late: is('snapshots', 'late') };
    }
    case 'bpc-fkl':
      return {
        divergence: forwardKl({ ...energy, draws: number('draws'), sigma: number('sigma'), posterior: posterior() }),
        ahead: ahead(),
        late: false,
      };
    case 'bpc-rkl':
      return { divergence: reverseKl({ ...energy, draws: number('draws'), posterior: posterior() }), ahead: ahead(), late: false };
    case 'bpc-w':
      return { divergence: wasserstein(inner()), ahead: number('ahead'), late: false };
    case 'psvi': {
      const divergence = psvi({ draws: number('draws'), posterior: posterior(), pointsAtOnce: POINTS_AT_ONCE });
      return { divergence, ahead: ahead(), late: false };
    }
  }
}

/** Points as the coreset that `learn` takes. The caller owns the tensors. */
export function coresetOf({ x, y, weights }: HostPoints, { inputs, outputs }: ClosenessProblem): Coreset {
  const count = weights.length;
  return {
    x: tensor(Float32Array.from(x), [count, inputs], 'float32'),
    y: tensor(Float32Array.from(y), [count, outputs], 'float32'),
    weights: tensor1d(Float32Array.from(weights), 'float32'),
  };
}

/** What learning needs besides its settings. */
export interface LearningTools {
  readonly runtime: Runtime;
  readonly experts: ExpertSource<MlpParams>;
  readonly key: Key;
  /** Outer steps. */
  readonly steps: number;
  readonly signal?: AbortSignal;
}

/**
 * Learns the inputs of a coreset from where it starts, targets held fixed; weights stay what they are, but those of PSVI.
 *
 * @throws NonFiniteError if it diverges; InterruptedError after an abort.
 */
export async function learnCoreset(
  method: DivergenceName,
  problem: ClosenessProblem,
  start: HostPoints,
  settings: Settings,
  { runtime, experts, key, steps, signal }: LearningTools,
): Promise<HostPoints> {
  const { divergence, ahead, late } = configure(method, problem, settings);
  const { number } = reader(settings);
  const weights = method === 'psvi';
  const last = experts.epochs - ahead;
  const initial = coresetOf(start, problem);
  try {
    const learned = await learn({
      objective: sampled(divergence, {
        model: modelOf(problem),
        experts,
        expertEpochs: ahead,
        startEpochs: { from: late ? Math.floor(0.75 * last) : 0, to: last },
        ...(divergence.requires.real ? { real: batchSource(problem, REAL_BATCH) } : {}),
      }),
      coreset: initial,
      learnable: { x: true, y: false, weights },
      optimizer: coresetOptimizer(
        {
          ...{ optimizer: 'adam', momentum: 0, imageLearningRate: number('learningRate'), labelLearningRate: 0 },
          weightLearningRate: weights ? number('weightLearningRate') : 0,
        },
        trainCount(problem) / problem.points,
      ),
      runtime,
      steps,
      key,
      ...(weights ? { project: keepWeightsNonNegative } : {}),
      ...(signal === undefined ? {} : { signal }),
    }).collect();
    try {
      return { x: await read(learned.x), y: await read(learned.y), weights: await read(learned.weights) };
    } finally {
      disposeTree(learned);
    }
  } finally {
    disposeTree(initial);
  }
}

const read = async (tensor: Coreset['x']): Promise<Float64Array> => Float64Array.from(await tensor.data());
