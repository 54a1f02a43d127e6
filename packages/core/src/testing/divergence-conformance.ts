import type { Tensor } from '@tensorflow/tfjs-core';
import { memory } from '@tensorflow/tfjs-core';
import type { CoresetGrad } from '../coreset.js';
import type { Divergence, DivergenceInput } from '../divergence/divergence.js';
import { key } from '../random.js';
import type { Tree } from '../tree.js';
import { disposeTree, treeEntries } from '../tree.js';

/** What a suite runs: the shape of a test of vitest, mocha, jest or `node:test`. */
export type RegisterTest = (name: string, body: () => void) => void;

/** Options of `divergenceConformance`. */
export interface DivergenceConformanceOptions<P extends Tree> {
  readonly divergence: Divergence;
  /** A small problem; called within each test, and its tensors are the caller's. `learnable` is varied by the suite. */
  readonly input: () => DivergenceInput<P>;
  /** `it` of your test runner. */
  readonly it: RegisterTest;
}

function demand(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

const parts = ['x', 'y', 'weights'] as const;
const host = (grad: CoresetGrad) =>
  treeEntries(grad as Tree).map(([path, leaf]) => [path, Array.from((leaf as Tensor).dataSync())] as const);

/**
 * Registers the tests that every divergence must pass: names and requirements are sensible, gradients have exactly the
 * learnable parts with their shapes, are finite, depend on the key alone, belong to the caller, and nothing leaks.
 *
 * @example
 * ```ts
 * import type { DivergenceInput } from '@bpc/core';
 * import { contrastiveDivergence } from '@bpc/core';
 * import { divergenceConformance, type RegisterTest } from '@bpc/core/testing';
 * const suite = (it: RegisterTest, input: () => DivergenceInput<never>) =>
 *   divergenceConformance({ divergence: contrastiveDivergence(), input, it });
 * ```
 */
export function divergenceConformance<P extends Tree>({ divergence, input, it }: DivergenceConformanceOptions<P>): void {
  const estimate = (learnable: DivergenceInput<P>['learnable'], seed = 0) => divergence.estimate(key(seed), { ...input(), learnable });

  it(`${divergence.name}: says what it is and needs`, () => {
    const { name, requires } = divergence;
    demand(/^[a-z][a-z0-9-]*$/.test(name), `name is '${name}', expected lower-case words joined by hyphens`);
    demand(
      typeof requires.real === 'boolean' && typeof requires.synthetic === 'boolean',
      'requires.real and requires.synthetic must be booleans',
    );
    demand(requires.order === 1 || requires.order === 2, `requires.order is ${String(requires.order)}, expected 1 or 2`);
  });

  for (const learned of parts) {
    it(`${divergence.name}: has a gradient for exactly the learnable parts: ${learned}`, () => {
      const { coreset } = input();
      const { grad } = estimate({ x: learned === 'x', y: learned === 'y', weights: learned === 'weights' });
      const found = parts.filter((part) => grad[part] !== undefined);
      demand(found.join() === learned, `gradient has parts [${found}], expected [${learned}]`);
      demand(grad[learned]?.shape.join() === coreset[learned].shape.join(), `gradient of ${learned} has shape [${grad[learned]?.shape}]`);
      disposeTree(grad as Tree);
    });
  }

  const all = { x: true, y: true, weights: true };

  it(`${divergence.name}: is finite, with a finite scalar value`, () => {
    const { grad, value } = estimate(all);
    for (const [path, values] of host(grad)) demand(values.every(Number.isFinite), `gradient of ${path} is not finite`);
    if (value !== undefined) demand(value.shape.length === 0 && Number.isFinite(value.dataSync()[0]), 'value is not a finite scalar');
    disposeTree([grad as Tree, ...(value === undefined ? [] : [value])]);
  });

  it(`${divergence.name}: gives equal gradients for equal keys`, () => {
    const [first, second] = [estimate(all, 3).grad, estimate(all, 3).grad];
    demand(JSON.stringify(host(first)) === JSON.stringify(host(second)), 'two estimates with one key differ');
    disposeTree([first as Tree, second as Tree]);
  });

  it(`${divergence.name}: leaves its input as it was and nothing behind`, () => {
    const given = input();
    const run = () => {
      const { grad, value } = divergence.estimate(key(1), { ...given, learnable: all });
      disposeTree([grad as Tree, ...(value === undefined ? [] : [value])]);
    };
    const before = host(given.coreset);
    run();
    const tensors = memory().numTensors;
    run();
    demand(memory().numTensors === tensors, `an estimate left ${memory().numTensors - tensors} tensors behind`);
    demand(JSON.stringify(host(given.coreset)) === JSON.stringify(before), 'the coreset was modified');
  });
}
