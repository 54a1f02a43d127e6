import '@tensorflow/tfjs-backend-cpu';
import { ConfigError, foldIn, type Key, key, langevin, langevinChain, normalLike, ShapeError, treeLeaves } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, mul, setBackend, square, sub, sum, tensor1d, zeros } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { stepNoise } from './support/chain-noise.js';
import { runtimes } from './support/runtimes.js';

beforeAll(async () => {
  await setBackend('cpu');
});

type Params = { readonly a: Tensor; readonly b: Tensor };
const start = (): Params => ({ a: tensor1d([1, 2]), b: tensor1d([-1]) });
const energy = ({ a, b }: Params): Tensor => add(sum(square(a)), mul(2, sum(square(sub(b, 1)))));
const settings = { stepSize: 0.1, temperature: 0.5 } as const;
const values = (tree: Params) => treeLeaves(tree).flatMap((leaf) => [...leaf.dataSync()]);
const expectClose = (found: readonly number[], expected: readonly number[]) =>
  expected.forEach((value, i) => expect(Math.abs((found[i] ?? Number.NaN) - value), `${found[i]}, expected ${value}`).toBeLessThan(1e-5));

describe('langevinChain', () => {
  /** The same steps, one by one. */
  const reference = (steps: number) => {
    const { init, step } = langevin({ energy, ...settings });
    let state = init(start(), key(0));
    const energies: number[] = [];
    for (let t = 0; t < steps; t++) {
      const [next, info] = step(foldIn(key(9), t), state);
      energies.push(...info.energy.dataSync());
      state = next;
    }
    return { position: values(state.position), energies };
  };

  it.each(runtimes)('takes the steps of langevin, with noise from foldIn(key, t), on %s', async (_, makeRuntime) => {
    const runtime = await makeRuntime();
    const program = runtime.compile((position: Params, k: Key) => langevinChain(position, k, { energy, steps: 6, ...settings }));
    const { position, energies } = await program(start(), key(9));
    const expected = reference(6);
    expectClose(values(position), expected.position);
    expectClose([...energies.dataSync()], expected.energies);
    await runtime.dispose();
  });

  it('takes draws that are given, one row per step, as it takes those of a key', () => {
    const given = stepNoise((t) => normalLike(foldIn(key(9), t), start()), 6);
    expect(values(langevinChain(start(), given, { energy, steps: 6, ...settings }).position)).toEqual(
      values(langevinChain(start(), key(9), { energy, steps: 6, ...settings }).position),
    );
    expect(() => langevinChain(start(), given, { energy, steps: 7, ...settings })).toThrow(ShapeError);
  });

  it('tells the energy which step it is', () => {
    const moving = ({ a }: Params, step: Scalar) => sum(square(sub(a, step)));
    const { energies } = langevinChain({ a: zeros([1]), b: zeros([1]) }, undefined, {
      energy: moving,
      steps: 4,
      stepSize: 0.5,
      temperature: 0,
    });
    // A step of 0.5 lands on the target, which is t.
    expect([...energies.dataSync()]).toEqual([0, 1, 1, 1]);
  });

  it('draws nothing at temperature 0, and refuses to go without noise at any other', () => {
    const options = { energy, steps: 3, stepSize: 0.1 };
    expect(values(langevinChain(start(), key(1), { ...options, temperature: 0 }).position)).toEqual(
      values(langevinChain(start(), undefined, { ...options, temperature: 0 }).position),
    );
    expect(() => langevinChain(start(), undefined, { ...options, temperature: 0.1 })).toThrow(ConfigError);
    expect(() => langevinChain(start(), key(1), { ...options, temperature: 1, stepSize: -1 })).toThrow(/stepSize is -1/);
  });
});
