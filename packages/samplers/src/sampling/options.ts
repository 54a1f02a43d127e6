import type { CheckpointStore, HostTensor, HostTree, Json, Key, Progress, Runtime } from '@bpc/core';
import type { Metric } from '../nuts/metric.js';
import type { Target } from '../target.js';
import type { Parameter, ParameterTree } from '../transforms/parameter.js';
import type { AlgorithmFactory } from './algorithm-programs.js';
import type { PreparedTarget } from './prepared-target.js';
import type { MetricKind, Minibatch } from './settings.js';
import type { WorkerPool } from './worker-pool.js';

/** Values of a start, on their supports, shaped like the parameter tree. */
export type StartValues<S> = S extends Parameter ? HostTensor : { readonly [N in keyof S]: StartValues<S[N]> };

/** A module that exports the target, for threads, which are sent names and no functions. */
export interface ModelModule {
  /** URL of an ES module (`new URL('./model.js', import.meta.url)`), or what `import()` takes for one. */
  readonly module: URL | string;
  /** Name of a `Target`, or of a function `(options) => Target | Promise<Target>` (`'target'` by default). */
  readonly export?: string;
  /** Given to that function. */
  readonly options?: Json;
}

/** What a progress line of `sample` shows. */
export interface SamplingInfo {
  /** Whether some chain is still warming up. */
  readonly warmup: boolean;
  /** Divergent transitions so far, of all chains. */
  readonly divergences: number;
}

/** Where a run saves itself. */
export interface SamplingCheckpoint {
  readonly store: CheckpointStore;
  /** What its files' names start with (`'draws'` by default). */
  readonly name?: string;
  /** Transitions of each chain between two saves; by default it saves every five seconds. */
  readonly every?: number;
  /** Resume although runtime, engine or versions differ: draws are then not those of an uninterrupted run. */
  readonly allowInexact?: boolean;
}

/** What every run of `sample` may be told, whatever it samples from. */
export interface SamplingSettings {
  /** Chain c draws from `foldIn(key, c)` alone, its transition t from `foldIn` of that with t. */
  readonly key: Key;
  /**
   * `'nuts'` (the default), which tunes itself; or what makes a tensor algorithm for the target,
   * `({ logDensity }) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 10 })`; with workers `{ export }`, the name of such a
   * function in the model's module.
   */
  readonly algorithm?: 'nuts' | AlgorithmFactory | { readonly export: string };
  /** Independent chains (4 by default: what R-hat needs). */
  readonly chains?: number;
  /** Transitions of each chain before its first draw, in which step size and metric are tuned (1000 by default, Stan's). */
  readonly warmup?: number;
  /** Draws kept per chain (1000 by default). */
  readonly draws?: number;
  /** Transitions per kept draw (1 by default: throwing draws away saves memory, and nothing else). */
  readonly thin?: number;
  /** In-process runs: where densities are evaluated (`jsRuntime()` by default, or what the model's module exports as `runtime`). Borrowed. */
  readonly runtime?: Runtime;
  /** Threads for the chains (`nodeWorkers()` of `@bpc/samplers/node`); needs `model`. Borrowed. Draws do not depend on it. */
  readonly workers?: WorkerPool;
  /** Stops the run: `collect()` resolves with the draws so far, iterating throws InterruptedError. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress<SamplingInfo>) => void;
  /** Seconds between progress reports (0.1 by default). */
  readonly progressInterval?: number;
  /** Acceptance probability that the warm-up of nuts, hmc and mala aims for, in (0, 1) (0.8 by default, Stan's; 0.95 where there are divergences). */
  readonly targetAcceptance?: number;
  /**
   * What the mass matrix is adapted to (`'diagonal'` by default); or a metric, which stays as it is. Of nuts, hmc and mala; only
   * nuts takes a dense one here.
   */
  readonly metric?: MetricKind | Metric;
  /** Most doublings of a trajectory of nuts (10 by default, Stan's). */
  readonly maxDepth?: number;
  /** Of nuts: where the warm-up starts, without a search; without a warm-up, the step size. */
  readonly stepSize?: number;
  /** Of nuts: T of the target exp(log density / T) (1 by default). */
  readonly temperature?: number;
  /** Also gives the draws of the warm-up, thinned like the others and marked as what they are (false by default). */
  readonly keepWarmup?: boolean;
  readonly checkpoint?: SamplingCheckpoint;
  /**
   * Of stochastic-gradient algorithms (hmc and mala need all data): rows of `data` that each step sees. The log density gets so
   * many rows and must estimate the whole from them (`minibatchLogDensity`).
   */
  readonly minibatch?: Minibatch;
  /**
   * Of tensor algorithms: transitions compiled into one block (100 by default, fewer for more than 10 000 parameters). An abort
   * waits for the end of a block. Draws depend on it in their last bits.
   */
  readonly blockSize?: number;
}

/** Where chains start: values for all of them, or a list with one per chain. */
type StartOption<S> = { readonly start?: StartValues<S> | readonly StartValues<S>[] };

/** A target written here. */
type InlineTarget<S extends ParameterTree, H extends HostTree> = Target<S, H> &
  StartOption<S> & { readonly model?: undefined; readonly prepared?: undefined };

/** A target in a module. */
type ModelSource = StartOption<ParameterTree> & {
  readonly model: ModelModule;
  readonly prepared?: undefined;
  readonly parameters?: undefined;
  readonly logDensity?: undefined;
  readonly data?: undefined;
  readonly derived?: undefined;
};

/** A target that `prepareTarget` compiled. Borrowed. */
type PreparedSource = StartOption<ParameterTree> & {
  readonly prepared: PreparedTarget;
  readonly model?: undefined;
  readonly parameters?: undefined;
  readonly logDensity?: undefined;
  readonly data?: undefined;
  readonly derived?: undefined;
};

/** Options of `sample`: a target (inline, in a module, or prepared), a key, and settings. */
export type SampleOptions<S extends ParameterTree = ParameterTree, H extends HostTree = HostTree> = SamplingSettings &
  (InlineTarget<S, H> | ModelSource | PreparedSource);
