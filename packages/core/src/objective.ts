import type { Scalar } from '@tensorflow/tfjs-core';
import type { Coreset, CoresetGrad, Learnable } from './coreset.js';
import type { Key } from './random.js';
import type { Runtime } from './runtime.js';
import type { Tree } from './tree.js';

/** One gradient estimate of a prepared objective. Fresh tensors, owned by the caller. */
export interface ObjectiveStep<State extends Tree> {
  readonly grad: CoresetGrad;
  readonly value?: Scalar;
  readonly state: State;
}

/** An objective bound to a runtime: its programs are compiled. */
export interface PreparedObjective<State extends Tree> {
  /** Host choices (expert, epoch, batch, augmentation) and one run of the program. `coreset` and `state` are borrowed. */
  step(key: Key, coreset: Coreset, state: State): Promise<ObjectiveStep<State>>;
  dispose(): Promise<void>;
}

/**
 * What a coreset learner minimises. `sampled(divergence, …)` makes one from a divergence; methods with several programs
 * per step implement it directly.
 */
export interface Objective<State extends Tree> {
  readonly name: string;
  /** State carried from step to step (a model pool, persistent chains); `[]` if there is none. Fresh tensors. */
  init(key: Key): State;
  /** Compiles for coresets of these shapes; every compile-time error surfaces here. */
  prepare(runtime: Runtime, like: Coreset, learnable: Learnable): Promise<PreparedObjective<State>>;
}
