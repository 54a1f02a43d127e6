import type { Tree } from '@bpc/core';
import {
  ConfigError,
  crossEntropyEnergy,
  disposeTree,
  flatPrior,
  foldIn,
  gaussianPrior,
  key,
  langevin,
  langevinStep,
  normal,
  supervised,
} from '@bpc/core';
import { algorithmConformance } from '@bpc/core/testing';
import { mlp } from '@bpc/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import { mul, scalar, setBackend, square, sub, sum, tensor1d, tensor2d, zeros } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { testBackend } from './support/backend.js';
import { runtimes } from './support/runtimes.js';

beforeAll(async () => {
  await setBackend(testBackend);
});
const values = (x: Tensor) => Array.from(x.dataSync());

describe('langevinStep', () => {
  it('is θ − λ∇E + √(2λT)·η', () => {
    const moved = langevinStep(tensor1d([1, 2]) as Tensor, tensor1d([10, -10]) as Tensor, tensor1d([1, -1]) as Tensor, {
      stepSize: 0.02,
      temperature: 0.25,
    });
    const expected = [1 - 0.2 + 0.1, 2 + 0.2 - 0.1];
    values(moved).forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 6));
  });

  it('takes step size and temperature as tensors, with equal results', () => {
    const [p, g, e] = [1, 2, 3].map((seed) => normal(key(seed), [5])) as [Tensor, Tensor, Tensor];
    const a = langevinStep(p, g, e, { stepSize: 0.1, temperature: 0.5 });
    const b = langevinStep(p, g, e, { stepSize: scalar(0.1), temperature: scalar(0.5) });
    values(a).forEach((value, i) => expect(value).toBeCloseTo(values(b)[i] as number, 6));
  });

  it.each([
    [{ stepSize: 0, temperature: 0 }, /stepSize is 0/],
    [{ stepSize: Number.NaN, temperature: 0 }, /stepSize/],
    [{ stepSize: 1, temperature: -1 }, /temperature is -1/],
    [{ stepSize: 1, temperature: Number.POSITIVE_INFINITY }, /temperature/],
    [{ stepSize: 1, temperature: 1 }, /there is no noise/],
  ])('refuses %o', (settings, message) => {
    const run = () => langevinStep(tensor1d([1]) as Tensor, tensor1d([1]) as Tensor, undefined, settings);
    expect(run).toThrow(ConfigError);
    expect(run).toThrow(message);
  });
});

describe('langevin', () => {
  const precision = 4;
  const energy = (theta: Tensor) => mul(precision / 2, sum(square(theta)));
  const position = () => tensor1d([1, 2]) as Tensor;

  algorithmConformance({ name: 'langevin', algorithm: langevin({ energy, stepSize: 0.1, temperature: 1 }), position, it });
  algorithmConformance({
    name: 'langevin at temperature 0',
    algorithm: langevin({ energy, stepSize: 0.1, temperature: 0 }),
    position,
    random: false,
    it,
  });

  /** Variance over many independent coordinates after enough steps to forget the start; ULA's own is T/p · 1/(1 − λp/2). */
  const finalVariance = (temperature: number, noiseScale = 1) => {
    const count = 4000;
    const { init, step } = langevin({ energy, stepSize: 0.1, temperature: temperature * noiseScale ** 2 });
    let state = init(zeros([count]), key(0));
    for (let i = 0; i < 40; i++) {
      const [next, info] = step(foldIn(key(3), i), state);
      disposeTree([state, info]);
      state = next;
    }
    return (sum(square(state.position)).dataSync()[0] as number) / count;
  };
  const expected = (temperature: number) => temperature / precision / (1 - (0.1 * precision) / 2);
  // Standard error of a variance from 4000 normals: √(2/4000) = 2.2 %.
  const agrees = (variance: number, temperature: number) => Math.abs(variance / expected(temperature) - 1) < 0.11;

  it('leaves the tempered normal invariant, up to the known bias of its step size', () => {
    expect(agrees(finalVariance(0.5), 0.5)).toBe(true);
  });

  it('fails that check with noise scaled wrongly, by the missing factor √2', () => {
    expect(agrees(finalVariance(0.5, Math.SQRT1_2), 0.5)).toBe(false);
  });

  it('tells the energy before the step, of the data it is given', () => {
    const shifted = langevin({
      energy: (theta: Tensor, data?: Tree) => sum(square(sub(theta, data as Tensor))),
      stepSize: 0.25,
      temperature: 0,
    });
    const [{ position: moved }, { energy: before }] = shifted.step(key(0), shifted.init(position(), key(0)), tensor1d([3, 2]));
    expect(values(before)).toEqual([4]);
    expect(values(moved)).toEqual([2, 2]);
  });

  it.each(runtimes)('takes the same steps compiled on %s, with the same noise', async (_, makeRuntime) => {
    const { init, step } = langevin({ energy, stepSize: 0.1, temperature: 0.5 });
    const runtime = await makeRuntime();
    const program = runtime.compile(step);
    let [eager, compiled] = [init(position(), key(0)), init(position(), key(0))];
    for (let i = 0; i < 5; i++) {
      eager = step(foldIn(key(7), i), eager)[0];
      compiled = (await program(foldIn(key(7), i), compiled))[0];
    }
    const found = values(compiled.position);
    values(eager.position).forEach((value, i) => expect(Math.abs((found[i] ?? Number.NaN) - value)).toBeLessThan(2e-6));
    await runtime.dispose();
  });
});

describe('supervised', () => {
  const network = mlp({ inputShape: [2], outputs: 2, hidden: [] });

  it('is minus the energy of each point, and the log prior up to a constant', () => {
    const params = {
      dense: {
        kernel: tensor2d([
          [1, 0],
          [0.5, 2],
        ]),
        bias: tensor1d([0, 0]),
      },
    };
    const model = supervised({ network, energy: crossEntropyEnergy(), prior: gaussianPrior({ precision: 2 }) });
    expect(values(model.logPrior(params))[0]).toBeCloseTo(-5.25, 5);
    expect(values(flatPrior()(params))).toEqual([0]);
    const x = normal(key(0), [3, 2]);
    const y = normal(key(1), [3, 2]);
    const energies = values(crossEntropyEnergy()(network.apply(params, x), y));
    values(model.logLikelihood(params, { x, y })).forEach((value, i) => expect(value).toBeCloseTo(-(energies[i] as number), 6));
  });

  it('refuses a prior precision that is not positive', () => {
    for (const precision of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => gaussianPrior({ precision })).toThrow(ConfigError);
  });
});
