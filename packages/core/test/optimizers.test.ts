import './support/backend.js';
import type { Optimizer, Runtime, Schedule, Tree } from '@bpc/core';
import {
  adam,
  adamw,
  applyUpdates,
  ConfigError,
  chain,
  clipByGlobalNorm,
  constantSchedule,
  cosineSchedule,
  ema,
  gradientNormalisedAdam,
  lamb,
  linearSchedule,
  polynomialSchedule,
  sgd,
  stepSchedule,
} from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { scalar } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';
import { runtimes } from './support/runtimes.js';

const fixture = loadFixture('optimisers');
const { tensors: names, steps } = fixture.cases['all'] as { tensors: string[]; steps: number };
const load = (prefix: string): Record<string, Tensor> =>
  Object.fromEntries(names.map((name) => [name, fixture.tensor(`${prefix}/${name}`)]));

type Case = {
  optimiser?: string;
  lr: number;
  momentum: number;
  nesterov: boolean;
  weightDecay?: number;
  beta1: number;
  beta2: number;
  eps: number;
  normEps: number;
};

function make(c: Case): Optimizer {
  const averages = {
    learningRate: c.lr,
    beta1: c.beta1,
    beta2: c.beta2,
    epsilon: c.eps,
    ...(c.weightDecay === undefined ? {} : { weightDecay: c.weightDecay }),
  };
  switch (c.optimiser) {
    case 'sgd':
      return sgd({ learningRate: c.lr, momentum: c.momentum, nesterov: c.nesterov, weightDecay: c.weightDecay ?? 0 });
    case 'adam':
      return adam(averages);
    case 'adamw':
      return adamw(averages);
    case 'lamb':
      return lamb(averages);
    case 'gradient_normalised_adam':
      return gradientNormalisedAdam({ ...averages, normEpsilon: c.normEps });
    default:
      throw new Error(`unknown optimiser ${c.optimiser}`);
  }
}

const optimiserCases = Object.entries(fixture.cases).filter(([, c]) => 'optimiser' in c) as unknown as [string, Case][];
const values = async (tree: Record<string, Tensor>, name: string) => (tree[name] as Tensor).data();

describe.each(runtimes)('optimisers on %s', (_, makeRuntime) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await makeRuntime();
  });
  afterAll(async () => runtime.dispose());

  const updateProgram = (optimizer: Optimizer) =>
    runtime.compile((grads: Record<string, Tensor>, state: Tree, params: Record<string, Tensor>) => {
      const { updates, state: next } = optimizer.update(grads, state, params);
      return { params: applyUpdates(params, updates), state: next };
    });

  it('have fixture cases of every family', () => {
    expect(new Set(optimiserCases.map(([, c]) => c.optimiser)).size).toBe(5);
  });

  it.each(optimiserCases)('%s matches five reference steps', async (name, c) => {
    const optimizer = make(c);
    const program = updateProgram(optimizer);
    let params = load('init');
    let state = optimizer.init(params);
    for (let step = 0; step < steps; step++) {
      const next = await program(load(`grad/${step}`), state, params);
      ({ params, state } = next);
      for (const t of names) fixture.expectClose(`${name}/${step}/${t}`, await values(params, t));
    }
  });

  it('clip_global_norm matches, and leaves gradients below the norm alone', async () => {
    const { maxNorm } = fixture.cases['clip_global_norm'] as { maxNorm: number };
    const clip = clipByGlobalNorm({ maxNorm });
    const program = runtime.compile((grads: Record<string, Tensor>) => clip.update(grads, [], grads).updates);
    const clipped = await program(load('grad/0'));
    for (const t of names) fixture.expectClose(`clip_global_norm/${t}`, await values(clipped, t));
    const small = { a: scalar(0.25), b: scalar(0) };
    expect(await values(await program(small), 'a')).toEqual(Float32Array.of(0.25));
    expect(await values(await program({ a: scalar(0) }), 'a')).toEqual(Float32Array.of(0));
  });

  it('ema matches over the adam run', async () => {
    const { decay } = fixture.cases['ema'] as { decay: number };
    const average = ema({ decay });
    const program = runtime.compile((a: Record<string, Tensor>, params: Record<string, Tensor>) => average.update(a, params));
    let tracked = average.init(load('init'));
    for (let step = 0; step < steps; step++) tracked = await program(tracked, load(`adam/${step}`));
    for (const t of names) fixture.expectClose(`ema/${t}`, await values(tracked, t));
  });

  const schedules: [string, Schedule][] = [
    ['schedule/cosine_warmup', cosineSchedule(fixture.cases['schedule/cosine_warmup'] as never)],
    ['schedule/cosine', cosineSchedule(fixture.cases['schedule/cosine'] as never)],
    ['schedule/step', stepSchedule(fixture.cases['schedule/step'] as never)],
    ['schedule/linear', linearSchedule(fixture.cases['schedule/linear'] as never)],
    ['schedule/polynomial', polynomialSchedule(fixture.cases['schedule/polynomial'] as never)],
  ];

  it('have a test for every reference schedule', () => {
    expect(schedules.map(([name]) => name).sort()).toEqual(
      Object.keys(fixture.cases)
        .filter((name) => name.startsWith('schedule/'))
        .sort(),
    );
  });

  it.each(schedules)('%s matches at every step', async (name, schedule) => {
    const program = runtime.compile((step: Scalar) => schedule(step));
    const data = fixture.values(name);
    const rates: number[] = [];
    for (let step = 0; step < data.length; step++) rates.push((await (await program(scalar(step))).data())[0] as number);
    fixture.expectClose(name, rates);
  });

  it('read the step of a schedule from the state, not from the trace', async () => {
    const optimizer = sgd({ learningRate: linearSchedule({ start: 1, end: 0, totalSteps: 2 }) });
    const program = updateProgram(optimizer);
    let params: Record<string, Tensor> = { x: scalar(0) };
    let state: Tree = optimizer.init(params);
    const path: number[] = [];
    for (let step = 0; step < 4; step++) {
      ({ params, state } = await program({ x: scalar(-1) }, state, params));
      path.push((await values(params, 'x'))[0] as number);
    }
    expect(path).toEqual([1, 1.5, 1.5, 1.5]);
  });

  it('chain passes updates from part to part in order', async () => {
    const program = updateProgram(chain(clipByGlobalNorm({ maxNorm: 1 }), sgd({ learningRate: 0.5 })));
    const { params } = await program({ x: scalar(100) }, [[], [[]]], { x: scalar(2) });
    expect((await values(params, 'x'))[0]).toBeCloseTo(1.5, 6);
  });
});

describe('options outside their domain are refused with their name', () => {
  it.each([
    ['learningRate', () => sgd({ learningRate: -1 })],
    ['learningRate', () => sgd({ learningRate: Number.NaN })],
    ['learningRate', () => adam({ learningRate: Number.POSITIVE_INFINITY })],
    ['learningRate', () => lamb({ learningRate: '0.1' as unknown as number })],
    ['momentum', () => sgd({ learningRate: 1, momentum: 1 })],
    ['weightDecay', () => adamw({ learningRate: 1, weightDecay: -0.1 })],
    ['beta2', () => adam({ learningRate: 1, beta2: 1 })],
    ['maxNorm', () => clipByGlobalNorm({ maxNorm: 0 })],
    ['totalSteps', () => cosineSchedule({ peak: 1, totalSteps: 5, warmupSteps: 5 })],
    ['peak', () => cosineSchedule({ peak: -1, totalSteps: 5 })],
    ['milestones[1]', () => stepSchedule({ initial: 1, milestones: [1, 1.5], gamma: 0.1 })],
    ['b', () => polynomialSchedule({ a: 1, b: 0, gamma: 1 })],
    ['value', () => constantSchedule(-1)],
    ['decay', () => ema({ decay: 1 })],
  ])('%s', (name, build) => {
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(`${name} is`);
  });
});
