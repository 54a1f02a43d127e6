import { ConfigError, disposeTree, foldIn, type Key, treeLeaves } from '@bpc/core';
import { windowedAdaptation } from '../warmup/windowed-adaptation.js';
import type { AlgorithmPrograms } from './algorithm-programs.js';
import type { ChainRecord, SavedArray, SavedChain } from './chain.js';
import { savedUnder } from './saved-state.js';
import { searchStepSize } from './search-step-size.js';
import type { Settings } from './settings.js';
import { type AlgorithmState, hasVariances, isTunable, type TunableState, withStepSize, withVariances } from './tunable-state.js';

const WARMUP = 'warmup/';

/** Warm-up of a tensor algorithm: its state's step size and inverse mass, set after each transition. */
export interface Tuner {
  /** The state with the step size and inverse mass for transition `next`. Takes `state`. */
  update(state: AlgorithmState, position: Float64Array, acceptance: number, next: number): Promise<AlgorithmState>;
  save(): Record<string, SavedArray>;
  record(): ChainRecord;
}

/** What a tuner is made from. */
export interface TunerOptions {
  readonly programs: AlgorithmPrograms;
  readonly settings: Settings;
  /** Unconstrained parameters. */
  readonly size: number;
  /** Of the search for a step size before transition t. */
  readonly key: (t: number) => Key;
  readonly saved: SavedChain | undefined;
}

/**
 * The tuner of a chain, new or saved, and the state with which the chain goes on. Takes `state`.
 *
 * As in nuts, a step size is searched for before the first transition, from what the algorithm was told on, and whenever the
 * inverse mass has changed. A dense inverse mass that it was given stays as it is.
 *
 * @throws NonFiniteError if a search finds no step size.
 */
export async function algorithmTuner(state: AlgorithmState, options: TunerOptions): Promise<[Tuner, AlgorithmState]> {
  const { programs, size, key, saved } = options;
  const { warmup, targetAcceptance, metric } = options.settings;
  const column = programs.statistics.indexOf('acceptance');
  const tunable = (own: AlgorithmState): TunableState => {
    if (isTunable(own, programs.statistics)) return own;
    throw new ConfigError('the state lost its step size', 'return stepSize and inverseMass from step');
  };
  const learns = metric === 'diagonal' && hasVariances(tunable(state));
  const adaptation = windowedAdaptation({ size, warmup, targetAcceptance, metric: learns ? 'diagonal' : 'unit' });

  /** The acceptance probability of one transition, which leaves the chain where it is. */
  const attempt = async (from: TunableState, own: Key): Promise<number> => {
    const block = await programs.block(1)(own, from, undefined);
    const [acceptance] = (await treeLeaves(block.info)[column]?.data()) ?? [];
    disposeTree(block);
    return acceptance ?? Number.NaN;
  };

  /** The state with the step size that a search before transition t finds. Takes `from`. */
  const searched = async (from: TunableState, t: number): Promise<TunableState> => {
    let now = from;
    const own = key(t);
    try {
      const first = (await now.stepSize.data())[0] ?? Number.NaN;
      const found = await searchStepSize(first, (stepSize, i) => {
        now = withStepSize(now, stepSize);
        return attempt(now, foldIn(own, i));
      });
      adaptation.begin(found);
      return withStepSize(now, found);
    } catch (error) {
      disposeTree(now);
      throw error;
    }
  };

  let first = tunable(state);
  if (saved !== undefined) adaptation.load(savedUnder(WARMUP, saved));
  else first = await searched(first, 0);
  let stepSize = adaptation.stepSize;
  const tuner: Tuner = {
    async update(before, position, acceptance, next) {
      const changed = adaptation.update(position, acceptance);
      let now = withStepSize(tunable(before), adaptation.stepSize);
      if (changed) now = await searched(withVariances(now, adaptation.metric.inverseMass), next);
      if (next === warmup) adaptation.finish();
      stepSize = adaptation.stepSize;
      return withStepSize(now, stepSize);
    },
    save: () => Object.fromEntries(Object.entries(adaptation.save()).map(([name, array]) => [WARMUP + name, array])),
    record: () => ({
      stepSize,
      ...(learns ? { metric: { kind: adaptation.metric.kind, inverseMass: Array.from(adaptation.metric.inverseMass) } } : {}),
    }),
  };
  return [tuner, first];
}
