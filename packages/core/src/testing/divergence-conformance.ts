import type { Tensor } from '@tensorflow/tfjs-core';
import { memory } from '@tensorflow/tfjs-core';
import type { CoresetGrad } from '../coreset.js';
import type { Divergence, DivergenceEstimate, DivergenceInput } from '../divergence/divergence.js';
import { BpcError } from '../errors.js';
import { key } from '../random.js';
import type { Tree } from '../tree.js';
import { assertSameShapes, disposeTree, treeEntries, treeLeaves } from '../tree.js';
import { demand } from './protocol-checks.js';

/** What a suite runs: the shape of a test of vitest, mocha, jest or `node:test`. */
export type RegisterTest = (name: string, body: () => void) => void;

/** Options of `divergenceConformance`. */
export interface DivergenceConformanceOptions<P extends Tree> {
  readonly divergence: Divergence;
  /**
   * A small problem with everything that `divergence.requires`; called within each test, and its tensors are the caller's.
   * `learnable` is varied by the suite, which also makes the state, if there is one, with `divergence.init`.
   */
  readonly input: () => DivergenceInput<P>;
  /** `it` of your test runner. */
  readonly it: RegisterTest;
}

const parts = ['x', 'y', 'weights'] as const;
const host = (tree: Tree) => treeEntries(tree).map(([path, leaf]) => [path, Array.from(leaf.dataSync())] as const);
const hostGrad = (grad: CoresetGrad) => host(grad as Tree);
const equal = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function disposeEstimate({ grad, value, state }: DivergenceEstimate): void {
  disposeTree([grad as Tree, ...(value === undefined ? [] : [value]), ...(state === undefined ? [] : [state])]);
}

/** The tensors of an input that an estimate must leave alone. */
function borrowed<P extends Tree>({ coreset, expert, start, real, state }: DivergenceInput<P>): Tensor[] {
  return [coreset, expert, start, real, state].flatMap((part: Tree | undefined) => (part === undefined ? [] : treeLeaves(part)));
}

/** Throws if an estimate hands out a tensor twice, or one that it was lent. */
function demandOwned<P extends Tree>({ grad, value, state }: DivergenceEstimate, input: DivergenceInput<P>): void {
  const seen = new Set(borrowed(input));
  const made: readonly (readonly [string, Tree | undefined])[] = [
    ['grad', grad as Tree],
    ['value', value],
    ['state', state],
  ];
  for (const [name, tree] of made) {
    for (const [path, leaf] of tree === undefined ? [] : treeEntries(tree, name)) {
      demand(!seen.has(leaf), `the tensor at '${path}' occurs elsewhere, expected a fresh one that the caller may dispose`);
      demand(!leaf.isDisposed, `the tensor at '${path}' is disposed already`);
      seen.add(leaf);
    }
  }
}

/** Throws unless `f` throws a `BpcError` whose text names what is missing. */
function demandRefusal(what: string, f: () => DivergenceEstimate): void {
  let made: DivergenceEstimate;
  try {
    made = f();
  } catch (error) {
    demand(
      error instanceof BpcError && error.message.includes(what),
      `without ${what}, estimate threw '${String(error)}', expected a BpcError that names ${what}`,
    );
    return;
  }
  disposeEstimate(made);
  throw new Error(`without ${what}, estimate went ahead, expected a BpcError that names ${what}`);
}

/**
 * Registers the tests that every divergence must pass: names and requirements are sensible, gradients have exactly the
 * learnable parts with their shapes, are finite, depend on the key alone, belong to the caller, and nothing leaks. A divergence
 * that needs `start`, real data or its state says so when it is not there; a state keeps its structure and shapes from
 * estimate to estimate and belongs to the caller; a divergence without `init` returns none.
 *
 * @example
 * ```ts
 * import type { DivergenceInput } from '@bpc/core';
 * import { contrastiveDivergence } from '@bpc/core';
 * import { divergenceConformance, type RegisterTest } from '@bpc/core/testing';
 * const suite = (it: RegisterTest, input: () => DivergenceInput<never>) =>
 *   divergenceConformance({ divergence: contrastiveDivergence({ persistent: true }), input, it });
 * ```
 */
export function divergenceConformance<P extends Tree>(options: DivergenceConformanceOptions<P>): void {
  const { divergence, it } = options;
  const { name, requires } = divergence;
  const stateful = divergence.init !== undefined;
  const input = (): DivergenceInput<P> => {
    const given = options.input();
    return divergence.init === undefined ? given : { ...given, state: divergence.init(key(9), given.model) };
  };
  const estimate = (learnable: DivergenceInput<P>['learnable'], seed = 0) => divergence.estimate(key(seed), { ...input(), learnable });
  const all = { x: true, y: true, weights: true };

  it(`${name}: says what it is and needs`, () => {
    demand(/^[a-z][a-z0-9-]*$/.test(name), `name is '${name}', expected lower-case words joined by hyphens`);
    demand(
      typeof requires.real === 'boolean' && typeof requires.synthetic === 'boolean' && typeof (requires.start ?? false) === 'boolean',
      'requires.real, requires.synthetic and requires.start must be booleans',
    );
    demand(requires.order === 1 || requires.order === 2, `requires.order is ${String(requires.order)}, expected 1 or 2`);
  });

  for (const learned of parts) {
    it(`${name}: has a gradient for exactly the learnable parts: ${learned}`, () => {
      const { coreset } = input();
      const made = estimate({ x: learned === 'x', y: learned === 'y', weights: learned === 'weights' });
      const found = parts.filter((part) => made.grad[part] !== undefined);
      demand(found.join() === learned, `gradient has parts [${found}], expected [${learned}]`);
      const shape = made.grad[learned]?.shape;
      demand(shape?.join() === coreset[learned].shape.join(), `gradient of ${learned} has shape [${shape}]`);
      disposeEstimate(made);
    });
  }

  it(`${name}: is finite, with a finite scalar value`, () => {
    const made = estimate(all);
    for (const [path, values] of hostGrad(made.grad)) demand(values.every(Number.isFinite), `gradient of ${path} is not finite`);
    const { value } = made;
    if (value !== undefined) demand(value.shape.length === 0 && Number.isFinite(value.dataSync()[0]), 'value is not a finite scalar');
    disposeEstimate(made);
  });

  it(`${name}: gives equal gradients for equal keys`, () => {
    const [first, second] = [estimate(all, 3), estimate(all, 3)];
    demand(equal(hostGrad(first.grad), hostGrad(second.grad)), 'two estimates with one key differ');
    demand(equal(host(first.state ?? []), host(second.state ?? [])), 'the states of two estimates with one key differ');
    for (const made of [first, second]) disposeEstimate(made);
  });

  it(`${name}: gives tensors of the caller's own`, () => {
    const given = { ...input(), learnable: all };
    const made = divergence.estimate(key(2), given);
    demandOwned(made, given);
    disposeEstimate(made);
    demand(
      borrowed(given).every((leaf) => !leaf.isDisposed),
      'disposing an estimate disposed what it was made from',
    );
  });

  it(`${name}: leaves its input as it was and nothing behind`, () => {
    const given = { ...input(), learnable: all };
    const run = () => disposeEstimate(divergence.estimate(key(1), given));
    const before = borrowed(given).map((leaf) => Array.from(leaf.dataSync()));
    run();
    const tensors = memory().numTensors;
    run();
    demand(memory().numTensors === tensors, `an estimate left ${memory().numTensors - tensors} tensors behind`);
    const after = borrowed(given).map((leaf) => Array.from(leaf.dataSync()));
    demand(equal(after, before), 'the input was modified');
  });

  for (const needed of ['start', 'real'] as const) {
    if (requires[needed] !== true) continue;
    it(`${name}: says by name that it needs ${needed}`, () => {
      const { [needed]: found, ...without } = input();
      demand(found !== undefined, `the input of this suite has no ${needed}, which the divergence requires`);
      demandRefusal(needed, () => divergence.estimate(key(0), without as DivergenceInput<P>));
    });
  }

  it(`${name}: ${stateful ? 'hands on a state like the one that it got' : 'returns no state, having no init'}`, () => {
    const given = input();
    const made = divergence.estimate(key(0), given);
    const { state } = made;
    demand((state !== undefined) === stateful, stateful ? 'the estimate has no state' : 'the estimate has a state, but there is no init');
    if (state !== undefined && given.state !== undefined) {
      assertSameShapes('the state of the estimate', state, given.state);
      const second = divergence.estimate(key(1), { ...given, state });
      if (second.state === undefined) throw new Error('the second estimate has no state');
      assertSameShapes('the state of the second estimate', second.state, given.state);
      demand(
        treeEntries(second.state).every(([, leaf]) => Array.from(leaf.dataSync()).every(Number.isFinite)),
        'the state of the second estimate is not finite',
      );
      disposeEstimate(second);
    }
    disposeEstimate(made);
  });

  if (!stateful) return;

  it(`${name}: begins with a state that depends on the key alone, belongs to the caller, and leaves nothing behind`, () => {
    const { model, expert } = options.input();
    const init = () => divergence.init?.(key(4), model) ?? [];
    const first = init();
    const tensors = memory().numTensors;
    const second = init();
    const made = memory().numTensors - tensors;
    const leaves = treeLeaves(second);
    demand(made === leaves.length, `init made ${made} tensors for a state of ${leaves.length}`);
    demand(equal(host(first), host(second)), 'two states of one key differ');
    const seen = new Set([...treeLeaves(first), ...treeLeaves(expert)]);
    demand(leaves.every((leaf) => !seen.has(leaf)) && new Set(leaves).size === leaves.length, 'init hands out a tensor twice');
    disposeTree([first, second]);
  });

  it(`${name}: says by name that it needs its state`, () => {
    demandRefusal('state', () => divergence.estimate(key(0), options.input()));
  });
}
