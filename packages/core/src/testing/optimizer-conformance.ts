import type { Tensor } from '@tensorflow/tfjs-core';
import { memory, scalar, sub, tensor1d } from '@tensorflow/tfjs-core';
import type { Optimizer } from '../optim/optimizer.js';
import { applyUpdates } from '../optim/optimizer.js';
import { scope } from '../scope.js';
import type { Tree } from '../tree.js';
import { assertSameShapes, disposeTree, treeLeaves } from '../tree.js';
import type { RegisterTest } from './divergence-conformance.js';
import { demandFresh, snapshot } from './protocol-conformance.js';

/** Options of `optimizerConformance`. */
export interface OptimizerConformanceOptions {
  readonly name: string;
  readonly optimizer: Optimizer;
  /** Steps after which the loss of a quadratic must have fallen to a tenth (200 by default). */
  readonly steps?: number;
  /** `it` of your test runner. */
  readonly it: RegisterTest;
}

type Params = { readonly a: Tensor; readonly list: readonly [Tensor] };

const target = [1, -2, 0.5] as const;
const start = (): Params => ({ a: tensor1d([4, 3]), list: [scalar(-2)] });
/** Gradient of ½‖params − target‖². */
const gradient = ({ a, list }: Params): Params => ({ a: sub(a, tensor1d(target.slice(0, 2))), list: [sub(list[0], target[2])] });
const loss = ({ a, list }: Params) =>
  [...a.dataSync(), ...list[0].dataSync()].reduce((total, v, i) => total + (v - (target[i] as number)) ** 2 / 2, 0);

function demand(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/**
 * Registers the tests that every `Optimizer` must pass: fresh tensors, arguments left alone, equal results for equal
 * arguments, a state that keeps its structure, descent on a quadratic, and no leak.
 *
 * @example
 * ```ts
 * import { adam } from '@bpc/core';
 * import { optimizerConformance, type RegisterTest } from '@bpc/core/testing';
 * const suite = (it: RegisterTest) => optimizerConformance({ name: 'adam', optimizer: adam({ learningRate: 0.1 }), it });
 * ```
 */
export function optimizerConformance({ name, optimizer, steps = 200, it }: OptimizerConformanceOptions): void {
  type Result = { readonly updates: Params; readonly state: Tree };
  const update = (params: Params, state: Tree): Result => scope(() => ({ ...optimizer.update(gradient(params), state, params) }));

  it(`${name}: init and update give fresh tensors and leave their arguments alone`, () => {
    const params = start();
    const state = optimizer.init(params);
    demandFresh('the state of init', state, params);
    const before = snapshot([params, state]);
    const made = update(params, state);
    demandFresh('the result of update', made, [params, state]);
    demand(
      treeLeaves([params, state]).every((leaf) => !leaf.isDisposed),
      'update disposed an argument',
    );
    demand(snapshot([params, state]) === before, 'update changed an argument');
    disposeTree([params, state, made]);
  });

  it(`${name}: update depends on nothing but its arguments, and keeps structures`, () => {
    const params = start();
    const state = optimizer.init(params);
    const [one, two] = [update(params, state), update(params, state)];
    demand(snapshot(one) === snapshot(two), 'two updates from the same arguments differ');
    assertSameShapes('updates', one.updates, params);
    assertSameShapes('the next state', one.state, state);
    disposeTree([params, state, one, two]);
  });

  it(`${name}: descends on a quadratic, and leaks nothing`, () => {
    const run = (): readonly [number, number] => {
      let params = start();
      let state = optimizer.init(params);
      const first = loss(params);
      for (let step = 0; step < steps; step++) {
        const { updates, state: next } = update(params, state);
        const moved = scope(() => applyUpdates(params, updates));
        disposeTree([params, state, updates]);
        [params, state] = [moved, next];
      }
      const last = loss(params);
      disposeTree([params, state]);
      return [first, last];
    };
    run();
    const before = memory().numTensors;
    const [first, last] = run();
    demand(memory().numTensors === before, `${memory().numTensors - before} tensors were left behind, expected none`);
    demand(last < first / 10, `the loss went from ${first} to ${last}, expected less than a tenth`);
  });
}
