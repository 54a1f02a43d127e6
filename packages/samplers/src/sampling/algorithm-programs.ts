import {
  type Algorithm,
  ConfigError,
  constant,
  disposeTree,
  type HostTree,
  hostArray,
  isHostTensor,
  type Key,
  key,
  type Program,
  scan,
  type Tree,
  tensorsFromHost,
  treeEntries,
} from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import { countRows, firstRows, gatherRows } from './minibatch.js';
import type { PreparedTarget } from './prepared-target.js';
import type { AlgorithmState } from './tunable-state.js';

/** What an algorithm is made for. */
export interface AlgorithmProblem {
  /** log p over unconstrained values, a tree like the parameters; log-Jacobians included. */
  readonly logDensity: (params: Tree, data?: Tree) => Scalar;
}

/** Makes a tensor algorithm for a target: `({ logDensity }) => hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 10 })`. */
export type AlgorithmFactory = (problem: AlgorithmProblem) => Algorithm<Tree, AlgorithmState, Tree>;

/** Transitions in a row: the state after them, and positions and statistics after each, stacked. */
export type Block = { readonly state: AlgorithmState; readonly positions: Tree; readonly info: Tree };

/** An algorithm compiled for a target. */
export interface AlgorithmPrograms {
  /** Names of what the algorithm says about each transition: the scalars of its info. */
  readonly statistics: readonly string[];
  /** A state, for its structure. */
  readonly like: AlgorithmState;
  readonly init: Program<[Tree, Key, Tree | undefined], AlgorithmState>;
  /** Blocks of so many transitions. */
  block(length: number): Program<[Key, AlgorithmState, Tree | undefined], Block>;
  /** What `init` gets as data. */
  initData(): Tree | undefined;
  dispose(): Promise<void>;
}

/** The whole data in full precision, inside a program. */
function constants(data: HostTree): Tree {
  if (isHostTensor(data)) return constant(hostArray(data));
  return Object.fromEntries(Object.entries(data).map(([name, child]) => [name, constants(child as HostTree)]));
}

function checkAlgorithm(value: unknown): asserts value is Algorithm<Tree, AlgorithmState, Tree> {
  if (typeof value === 'object' && value !== null && 'init' in value && 'step' in value) {
    if (typeof value.init === 'function' && typeof value.step === 'function') return;
  }
  throw new ConfigError('the algorithm has no init and step', 'return an algorithm: ({ logDensity }) => hmc({ logDensity, … })');
}

function checkState(state: unknown): asserts state is AlgorithmState {
  if (typeof state === 'object' && state !== null && 'position' in state) return;
  throw new ConfigError("the algorithm's state has no position", "keep the position of the chain under 'position' in the state");
}

/**
 * Compiles an algorithm for a target: `init`, and blocks of transitions as one `scan` each, so that a transition costs no call
 * of its own.
 *
 * Without mini-batches the data are constants of the programs, in float64 where the runtime computes in it.
 *
 * @throws ConfigError if the factory makes no algorithm, or one of another density; whatever its options or the runtime refuse.
 */
export async function algorithmPrograms(
  { runtime, internals }: PreparedTarget,
  factory: AlgorithmFactory,
  batch: number | undefined,
  length: number,
): Promise<AlgorithmPrograms> {
  const { data, like: zeros } = internals;
  if (batch !== undefined) countRows(data, batch);
  const whole = (): Tree | undefined => (batch !== undefined || data === undefined ? undefined : constants(data));
  let asked = false;
  const algorithm: unknown = factory({
    logDensity: (u, rows) => {
      asked = true;
      // Algorithms that are stepped without data mean all of them.
      return internals.logDensity(u, rows ?? ((data === undefined ? [] : constants(data)) as Tree));
    },
  });
  checkAlgorithm(algorithm);
  const { init: begin, step } = algorithm;
  let statistics: readonly string[] = [];

  const init = runtime.compile(function init(position: Tree, own: Key, rows: Tree | undefined): AlgorithmState {
    const state = begin(position, own, rows ?? whole());
    checkState(state);
    return state;
  });
  const compiled = new Map<number, Program<[Key, AlgorithmState, Tree | undefined], Block>>();
  const block = (steps: number): Program<[Key, AlgorithmState, Tree | undefined], Block> => {
    const known = compiled.get(steps);
    if (known !== undefined) return known;
    const program = runtime.compile(function transitions(own: Key, state: AlgorithmState, rows: Tree | undefined): Block {
      const all = whole();
      const [last, made] = scan<AlgorithmState, Tree | undefined, { readonly position: Tree; readonly info: Tree }>(
        (now, iteration) => {
          const [next, info] = step(iteration.key, now, rows === undefined ? all : (iteration.x as Tree));
          const scalars = treeEntries(info).filter(([, { shape }]) => shape.length === 0);
          statistics = scalars.map(([path]) => path);
          return [next, { position: next.position, info: scalars.map(([, value]) => value) }];
        },
        state,
        rows,
        { length: steps, key: own },
      );
      return { state: last, positions: made.position, info: made.info };
    });
    compiled.set(steps, program);
    return program;
  };
  const initData = (): Tree | undefined =>
    batch === undefined || data === undefined ? undefined : tensorsFromHost(firstRows(data, batch));

  const dispose = async (): Promise<void> => {
    disposeTree(like);
    await init.dispose();
    for (const program of compiled.values()) await program.dispose();
  };
  let like: AlgorithmState | undefined;
  const position = tensorsFromHost(zeros);
  const rows = initData();
  const stacked = batch === undefined || data === undefined ? undefined : gatherRows(data, new Int32Array(length * batch), length);
  try {
    like = await init(position, key(0), rows);
    // Tracing tells what the algorithm's info consists of, and finds every mistake that compiling can find.
    await block(length).prepare(key(0), like, stacked);
    if (!asked) {
      throw new ConfigError(
        'the algorithm never asks for the log density that its factory got',
        'use that one, which knows supports and data: ({ logDensity }) => hmc({ logDensity, … })',
      );
    }
    return { statistics, like, init, block, initData, dispose };
  } catch (error) {
    await dispose();
    throw error;
  } finally {
    disposeTree(position);
    disposeTree(rows);
    disposeTree(stacked);
  }
}
