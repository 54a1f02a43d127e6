import { memory } from '@tensorflow/tfjs-core';
import type { Algorithm } from '../algorithm.js';
import { key } from '../random.js';
import { scope } from '../scope.js';
import type { Tree } from '../tree.js';
import { disposeTree, treeEntries, treeLeaves } from '../tree.js';
import type { RegisterTest } from './divergence-conformance.js';
import { demand, demandFreshLeaves, demandKeyed, demandSameStructure, printLeaves, type StateLeaf } from './protocol-checks.js';

/** Options of `algorithmConformance`. */
export interface AlgorithmConformanceOptions<Position extends Tree, State extends Tree, Info extends Tree> {
  readonly name: string;
  readonly algorithm: Algorithm<Position, State, Info>;
  /** A small starting point; called within each test, and its tensors are the caller's. */
  readonly position: () => Position;
  /** What `init` and `step` get as `data`, if they need any. */
  readonly data?: () => Tree;
  /** False if steps do not use their key (true by default). */
  readonly random?: boolean;
  /** `it` of your test runner. */
  readonly it: RegisterTest;
}

const leavesOf = (tree: Tree): StateLeaf[] =>
  treeEntries(tree).map(([path, leaf]) => ({ path, storage: leaf.id, shape: `${leaf.dtype}[${leaf.shape}]`, values: leaf.dataSync() }));

/** Paths and values, comparable as text: NaN equals NaN, and −0 differs from 0. */
export const snapshot = (tree: Tree): string => printLeaves(leavesOf(tree));

/** Throws if two trees share a tensor, or one tensor occurs twice in `made`. */
export const demandFresh = (what: string, made: Tree, given: Tree): void => demandFreshLeaves(what, leavesOf(made), leavesOf(given));

/**
 * Registers the tests that every `Algorithm` must pass: `init` and `step` give fresh tensors and leave their arguments
 * alone, equal keys give equal bits, the state keeps its structure (so that it can be compiled and saved), and nothing
 * leaks.
 *
 * @example
 * ```ts
 * import type { Algorithm } from '@bpc/core';
 * import { normal } from '@bpc/core';
 * import { algorithmConformance, type RegisterTest } from '@bpc/core/testing';
 * import { add, clone, scalar, type Tensor } from '@tensorflow/tfjs-core';
 *
 * type State = { readonly x: Tensor };
 * const walk: Algorithm<State, State, readonly []> = {
 *   init: ({ x }) => ({ x: clone(x) }),
 *   step: (key, { x }) => [{ x: add(x, normal(key, [])) }, []],
 * };
 * const suite = (it: RegisterTest) => algorithmConformance({ name: 'walk', algorithm: walk, position: () => ({ x: scalar(0) }), it });
 * ```
 */
export function algorithmConformance<Position extends Tree, State extends Tree, Info extends Tree>(
  options: AlgorithmConformanceOptions<Position, State, Info>,
): void {
  const { name, algorithm, position, data = () => [], random = true, it } = options;

  /** Runs `check` on a fresh state and data, and disposes what was made. */
  const withState = (check: (state: State, given: Tree) => void): void => {
    const start = position();
    const given = data();
    const state = algorithm.init(start, key(0), given);
    try {
      check(state, given);
    } finally {
      disposeTree([start, state, given]);
    }
  };
  const stepOnce = (seed: number, state: State, given: Tree): [State, Info] =>
    scope(() => [...algorithm.step(key(seed), state, given)] as [State, Info]) as [State, Info];

  it(`${name}: init gives fresh tensors and leaves the position alone`, () => {
    const start = position();
    const given = data();
    const before = snapshot([start, given]);
    const state = algorithm.init(start, key(0), given);
    demandFresh('the state of init', state, [start, given]);
    demand(snapshot([start, given]) === before, 'init changed an argument');
    disposeTree([start, given, state]);
  });

  it(`${name}: step gives fresh tensors and leaves its arguments alone`, () => {
    withState((state, given) => {
      const before = snapshot([state, given]);
      const made = stepOnce(1, state, given);
      demandFresh('the result of step', made, [state, given]);
      demand(
        treeLeaves([state, given]).every((leaf) => !leaf.isDisposed),
        'step disposed an argument',
      );
      demand(snapshot([state, given]) === before, 'step changed an argument');
      disposeTree(made);
    });
  });

  it(`${name}: step depends on nothing but its arguments`, () => {
    withState((state, given) => {
      const runs = [1, 2, 1].map((seed) => stepOnce(seed, state, given));
      demandKeyed(runs.map(leavesOf), random);
      disposeTree(runs);
    });
  });

  it(`${name}: step keeps the structure of the state`, () => {
    withState((state, given) => {
      const made = stepOnce(1, state, given);
      demandSameStructure('the next state', leavesOf(made[0]), leavesOf(state));
      const next = stepOnce(2, made[0], given);
      demandSameStructure('info', leavesOf(next[1]), leavesOf(made[1]));
      disposeTree([made, next]);
    });
  });

  it(`${name}: leaks nothing`, () => {
    const round = () => withState((state, given) => disposeTree(stepOnce(1, state, given)));
    round();
    const before = memory().numTensors;
    round();
    const left = memory().numTensors - before;
    demand(left === 0, `init and step left ${left} tensors behind, expected none`);
  });
}
