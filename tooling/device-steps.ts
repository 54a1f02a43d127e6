// The programs on which devices, providers and browsers are compared with one another.
import {
  applyUpdates,
  crossEntropy,
  disposeTree,
  foldIn,
  type Key,
  key,
  langevin,
  normal,
  type Runtime,
  scan,
  sgd,
  type Tree,
  treeEntries,
  valueAndGrad,
} from '@bpc/core';
import { type ConvNetParams, convNet } from '@bpc/models';
import { mean, type Tensor, tensor2d } from '@tensorflow/tfjs-core';

/** Numbers of a step by name: `loss`, `gradient/conv0/kernel`, … */
export type Numbers = { readonly [name: string]: readonly number[] };

export interface DeviceStep {
  readonly name: string;
  run(runtime: Runtime): Promise<Numbers>;
}

const CLASSES = 10;
const BATCH = 6;
// Wide enough for the Winograd form of both inner convolutions, and not square in anything.
const network = convNet({ inputShape: [16, 16, 3], outputs: CLASSES, depth: 3, width: 24 });
const energy = (params: ConvNetParams, x: Tensor, y: Tensor): Tensor => mean(crossEntropy(network.apply(params, x), y));

type Batch = { readonly x: Tensor; readonly y: Tensor };

function batch(): Batch {
  const labels = Array.from({ length: BATCH }, (_, n) => Array.from({ length: CLASSES }, (_, c) => Number(c === (3 * n) % CLASSES)));
  return { x: normal(key(1), [BATCH, 16, 16, 3]), y: tensor2d(labels) };
}

async function numbersOf(tree: Tree): Promise<Numbers> {
  const entries = await Promise.all(treeEntries(tree).map(async ([path, leaf]) => [path, Array.from(await leaf.data())] as const));
  return Object.fromEntries(entries);
}

/** Two steps of SGD with momentum: loss and all gradients by the first program's rules, parameters and velocity after it. */
const training: DeviceStep = {
  name: 'ConvNet training step',
  async run(runtime) {
    const optimizer = sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 1e-3 });
    const step = runtime.compile((params: ConvNetParams, state: readonly Tree[], x: Tensor, y: Tensor) => {
      const { value: loss, grad: gradient } = valueAndGrad((p: ConvNetParams) => energy(p, x, y))(params);
      const { updates, state: next } = optimizer.update(gradient, state, params);
      return { loss, gradient, params: applyUpdates(params, updates), state: next };
    });
    const params = network.init(key(0));
    const state = optimizer.init(params);
    const { x, y } = batch();
    const first = await step(params, state, x, y);
    const second = await step(first.params, first.state, x, y);
    const numbers = { ...(await numbersOf({ first: { loss: first.loss, gradient: first.gradient } })), ...(await numbersOf({ second })) };
    disposeTree([params, state, x, y, first, second]);
    await step.dispose();
    return numbers;
  },
};

/** Three Langevin steps in the parameters of a ConvNet; the noise is an input that the host draws. */
const sampling: DeviceStep = {
  name: 'Langevin step',
  async run(runtime) {
    const sampler = langevin({
      energy: (params: ConvNetParams, data) => {
        const { x, y } = data as Batch;
        return energy(params, x, y);
      },
      stepSize: 1e-3,
      temperature: 0.01,
    });
    const step = runtime.compile((k: Key, state: { readonly position: ConvNetParams }, data: Batch) => sampler.step(k, state, data));
    const data = batch();
    let state = sampler.init(network.init(key(2)), key(3));
    const energies: number[] = [];
    for (let i = 0; i < 3; i++) {
      const [next, info] = await step(foldIn(key(4), i), state, data);
      energies.push(...(await info.energy.data()));
      disposeTree([state, info]);
      state = next;
    }
    const numbers = { energies, ...(await numbersOf(state)) };
    disposeTree([state, data]);
    await step.dispose();
    return numbers;
  },
};

/** The same as one call: a loop whose iterations draw their own noise. */
const chain: DeviceStep = {
  name: 'chain of Langevin steps',
  async run(runtime) {
    const walk = runtime.compile((k: Key, position: ConvNetParams, x: Tensor, y: Tensor) => {
      const { step } = langevin({ energy: (params: ConvNetParams) => energy(params, x, y), stepSize: 1e-3, temperature: 0.01 });
      const [last, energies] = scan(
        (params: ConvNetParams, { key: own }: { key: Key }) => {
          const [next, info] = step(own, { position: params });
          return [next.position, info.energy] as const;
        },
        position,
        undefined,
        { length: 4, key: k },
      );
      return { last, energies };
    });
    const start = network.init(key(5));
    const { x, y } = batch();
    const result = await walk(key(6), start, x, y);
    const numbers = await numbersOf(result);
    disposeTree([start, x, y, result]);
    await walk.dispose();
    return numbers;
  },
};

export const deviceSteps: readonly DeviceStep[] = [training, sampling, chain];

/**
 * Largest deviation of any tensor: max |found − expected| over its largest entry, absolute below 1e-3 (where the exact value
 * is zero, a relative error means nothing). Infinite if a tensor is missing, has another size, or is not a number.
 */
export function largestDeviation(found: Numbers, expected: Numbers): number {
  const names = Object.keys(expected);
  if (names.length === 0 || Object.keys(found).length !== names.length) return Number.POSITIVE_INFINITY;
  return Math.max(...names.map((name) => deviation(found[name] ?? [], expected[name] ?? [])));
}

function deviation(found: readonly number[], expected: readonly number[]): number {
  if (found.length !== expected.length || expected.length === 0) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let scale = 1e-3;
  for (const [i, value] of expected.entries()) {
    const distance = Math.abs((found[i] ?? Number.NaN) - value);
    if (!(distance < Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, distance);
    scale = Math.max(scale, Math.abs(value));
  }
  return difference / scale;
}
