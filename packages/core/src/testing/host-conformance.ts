import { getBackend, memory } from '@tensorflow/tfjs-core';
import type { HostAlgorithm } from '../algorithm.js';
import { key } from '../random.js';
import { isTensor } from '../tree.js';
import type { RegisterTest } from './divergence-conformance.js';
import { demand, demandFreshLeaves, demandKeyed, demandSameStructure, printLeaves, type StateLeaf } from './protocol-checks.js';

/** Options of `hostAlgorithmConformance`. */
export interface HostAlgorithmConformanceOptions<Position, State, Info> {
  readonly name: string;
  readonly algorithm: HostAlgorithm<Position, State, Info>;
  /** A small starting point; called within each test. */
  readonly position: () => Position;
  /** False if steps do not use their key (true by default). */
  readonly random?: boolean;
  /** `it` of your test runner; bodies return promises. */
  readonly it: RegisterTest;
}

/** Without a backend there are no tensors, and tfjs would refuse to count them. */
const tensorCount = (): number => (getBackend() ? memory().numTensors : 0);

/** Every number, text and typed array in a value of plain objects and arrays. */
function leavesOf(value: unknown, path = ''): StateLeaf[] {
  const at = (name: string | number) => (path === '' ? String(name) : `${path}/${name}`);
  if (ArrayBuffer.isView(value)) {
    const values = value as unknown as ArrayLike<unknown>;
    return [{ path, storage: value.buffer, shape: `${value.constructor.name}[${values.length}]`, values }];
  }
  if (isTensor(value)) {
    return [{ path, storage: value.id, shape: `tensor ${value.dtype}[${value.shape}]`, values: value.dataSync() }];
  }
  if (Array.isArray(value)) return value.flatMap((item, i) => leavesOf(item, at(i)));
  if (typeof value === 'object' && value !== null) return Object.entries(value).flatMap(([name, item]) => leavesOf(item, at(name)));
  return [{ path, storage: undefined, shape: typeof value, values: [value] }];
}

/**
 * Registers the tests that every `HostAlgorithm` must pass: those of `algorithmConformance` (fresh results, untouched
 * arguments, equal keys give equal bits, one structure), and what matters where there are buffers to reuse and promises:
 * results stay as they are when the algorithm goes on, a state continues after it was saved, overlapping steps do not mix.
 *
 * @example
 * ```ts
 * import type { HostAlgorithm } from '@bpc/core';
 * import { hostNormal } from '@bpc/core';
 * import { hostAlgorithmConformance, type RegisterTest } from '@bpc/core/testing';
 *
 * const walk: HostAlgorithm<number, { readonly x: number }, object> = {
 *   init: (x) => ({ x }),
 *   step: (key, { x }) => [{ x: x + Number(hostNormal(key, 1)[0]) }, {}],
 * };
 * const suite = (it: RegisterTest) => hostAlgorithmConformance({ name: 'walk', algorithm: walk, position: () => 0, it });
 * ```
 */
export function hostAlgorithmConformance<Position, State, Info>(options: HostAlgorithmConformanceOptions<Position, State, Info>): void {
  const { name, algorithm, position, random = true, it } = options;
  const begin = async (): Promise<State> => algorithm.init(position(), key(0));
  const step = async (seed: number, state: State): Promise<readonly [State, Info]> => algorithm.step(key(seed), state);

  it(`${name}: init gives fresh arrays and leaves the position alone`, async () => {
    const start = position();
    const before = printLeaves(leavesOf(start));
    const state = await algorithm.init(start, key(0));
    demandFreshLeaves('the state of init', leavesOf(state), leavesOf(start));
    demand(printLeaves(leavesOf(start)) === before, 'init changed the position');
  });

  it(`${name}: step gives fresh arrays and leaves its arguments alone`, async () => {
    const state = await begin();
    const before = printLeaves(leavesOf(state));
    const made = await step(1, state);
    demandFreshLeaves('the result of step', leavesOf(made), leavesOf(state));
    demand(printLeaves(leavesOf(state)) === before, 'step changed an argument');
  });

  it(`${name}: results stay as they are`, async () => {
    const state = await begin();
    const made = await step(1, state);
    const before = printLeaves(leavesOf([state, made]));
    await step(2, made[0]);
    await begin();
    demand(printLeaves(leavesOf([state, made])) === before, 'a later call changed an earlier result');
  });

  it(`${name}: step depends on nothing but its arguments`, async () => {
    const state = await begin();
    const runs: StateLeaf[][] = [];
    for (const seed of [1, 2, 1]) {
      const made = await step(seed, state);
      runs.push(leavesOf(made));
      // Moves whatever the algorithm might keep to itself.
      await step(3, made[0]);
    }
    demandKeyed(runs, random);
  });

  it(`${name}: step keeps the structure of the state`, async () => {
    const state = await begin();
    const made = await step(1, state);
    demandSameStructure('the next state', leavesOf(made[0]), leavesOf(state));
    const next = await step(2, made[0]);
    demandSameStructure('info', leavesOf(next[1]), leavesOf(made[1]));
  });

  it(`${name}: a saved state goes on where it was`, async () => {
    const [state] = await step(1, await begin());
    const [made, again] = [await step(2, state), await step(2, structuredClone(state))];
    demand(printLeaves(leavesOf(made)) === printLeaves(leavesOf(again)), 'a step from a copy of the state differs');
  });

  it(`${name}: overlapping steps do not mix`, async () => {
    const state = await begin();
    const [first, second] = [await step(1, state), await step(2, state)];
    const together = await Promise.all([step(1, state), step(2, state)]);
    demand(
      printLeaves(leavesOf([first, second])) === printLeaves(leavesOf(together)),
      'steps that overlap differ from steps one after another',
    );
  });

  it(`${name}: leaks nothing`, async () => {
    const round = async () => step(2, (await step(1, await begin()))[0]);
    await round();
    const before = tensorCount();
    await round();
    const left = tensorCount() - before;
    demand(left === 0, `init and step left ${left} tensors behind, expected none`);
  });
}
