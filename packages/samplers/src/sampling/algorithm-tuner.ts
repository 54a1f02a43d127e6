import { ConfigError, disposeTree, treeLeaves } from '@bpc/core';
import { dispose, scalar } from '@tensorflow/tfjs-core';
import { windowedAdaptation } from '../warmup/windowed-adaptation.js';
import type { AlgorithmState, TunableState } from './algorithm-programs.js';
import { isTunable } from './algorithm-programs.js';
import type { ChainRecord, SavedArray, SavedChain } from './chain.js';
import { savedUnder } from './saved-state.js';
import type { Settings } from './settings.js';
import { treeOfFlat } from './tensor-position.js';

const WARMUP = 'warmup/';

/** Warm-up of a tensor algorithm: its state's step size and inverse mass, set after each transition. */
export interface Tuner {
  /** The state with the step size and inverse mass for the next transition. Takes `state`. */
  update(state: AlgorithmState, position: Float64Array, acceptance: number, last: boolean): Promise<AlgorithmState>;
  save(): Record<string, SavedArray>;
  record(): ChainRecord;
}

const sameShapes = ({ position, inverseMass }: TunableState): boolean => {
  const shapes = (leaves: readonly { readonly shape: readonly number[] }[]) => leaves.map(({ shape }) => `[${shape}]`).join();
  return shapes(treeLeaves(inverseMass)) === shapes(treeLeaves(position));
};

/** Takes `state` apart: the replaced leaves are freed, the rest goes on. */
function replaced(state: TunableState, stepSize: number, inverseMass: Float64Array | undefined): TunableState {
  dispose(state.stepSize);
  if (inverseMass !== undefined) disposeTree(state.inverseMass);
  return {
    ...state,
    stepSize: scalar(stepSize),
    ...(inverseMass === undefined ? {} : { inverseMass: treeOfFlat(state.position, inverseMass) }),
  };
}

/**
 * The tuner of a chain, new or saved, and the state with which the chain goes on. Takes `state`.
 *
 * The step size starts where the algorithm was told; a dense inverse mass that it was given stays as it is.
 *
 * @throws ConfigError for a dense metric, which tensor algorithms are given and do not learn.
 */
export async function algorithmTuner(
  state: AlgorithmState,
  { warmup, targetAcceptance, metric }: Settings,
  size: number,
  saved?: SavedChain,
): Promise<[Tuner, AlgorithmState]> {
  const fixed = typeof metric === 'string' ? undefined : metric;
  if (metric === 'dense' || fixed?.kind === 'dense') {
    throw new ConfigError(
      'metric is dense, which only nuts learns',
      "write metric: 'diagonal', or give the algorithm a dense inverseMass and write metric: 'unit'",
    );
  }
  if (!isTunable(state, ['acceptance'])) throw new ConfigError('the state cannot be tuned', 'keep stepSize and inverseMass in it');
  const learns = fixed === undefined && metric === 'diagonal' && sameShapes(state);
  const adaptation = windowedAdaptation({ size, warmup, targetAcceptance, metric: learns ? 'diagonal' : 'unit' });
  let stepSize = (await state.stepSize.data())[0] ?? Number.NaN;
  let first: AlgorithmState = state;
  if (saved === undefined) {
    adaptation.begin(stepSize);
    if (fixed?.kind === 'diagonal') first = replaced(state, stepSize, fixed.inverseMass);
  } else {
    adaptation.load(savedUnder(WARMUP, saved));
  }
  let inverseMass: Float64Array | undefined;
  const tuner: Tuner = {
    async update(now, position, acceptance, last) {
      if (!isTunable(now, ['acceptance']))
        throw new ConfigError('the state lost its step size', 'return stepSize and inverseMass from step');
      const changed = adaptation.update(position, acceptance);
      if (changed) {
        inverseMass = adaptation.metric.inverseMass;
        adaptation.begin(adaptation.stepSize);
      }
      if (last) adaptation.finish();
      stepSize = adaptation.stepSize;
      return replaced(now, stepSize, changed ? inverseMass : undefined);
    },
    save: () => Object.fromEntries(Object.entries(adaptation.save()).map(([name, array]) => [WARMUP + name, array])),
    record: () => ({
      stepSize,
      ...(learns ? { metric: { kind: adaptation.metric.kind, inverseMass: Array.from(adaptation.metric.inverseMass) } } : {}),
    }),
  };
  return [tuner, first];
}
