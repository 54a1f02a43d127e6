import '@tensorflow/tfjs-backend-cpu';
import { onnxRuntime, onnxTarget } from '@bpc/backend-onnx';
import { compiledRuntime, type Target, trace } from '@bpc/compiler';
import {
  crossEntropyEnergy,
  foldIn,
  type Key,
  key,
  langevinStep,
  normal,
  normalLike,
  type Program,
  type ProgramArgument,
  scan,
  supervised,
  type Tree,
  treeEntries,
  valueAndGrad,
} from '@bpc/core';
import { convNet } from '@bpc/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { lowerGraph } from '../src/lower/lower.js';
import { noise, provider, relativeError } from './graphs.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const numbers = (x: Tensor) => [...x.dataSync()];
const random = (shape: number[], seed: number) => tf.tensor(noise(shape, seed), shape);
type Any = Program<readonly ProgramArgument[], Tree>;
type Arguments = readonly ProgramArgument[];

async function compiled(fn: (...args: never[]) => Tree, args: Arguments, target?: Target, noiseBytes = 1e9) {
  const runtime =
    target === undefined ? await onnxRuntime({ ort, threads: 1, executionProviders: [provider] }) : compiledRuntime({ target, noiseBytes });
  const result = await (runtime.compile(fn as (...args: Arguments) => Tree) as Any)(...args);
  await runtime.dispose();
  return treeEntries(result);
}

async function expectSame(fn: (...args: never[]) => Tree, args: Arguments, tolerance = 1e-5): Promise<void> {
  const expected = treeEntries(fn(...(args as never[])));
  const found = await compiled(fn, args);
  expect(found.map(([path, x]) => `${path} ${x.dtype}[${x.shape}]`)).toEqual(expected.map(([path, x]) => `${path} ${x.dtype}[${x.shape}]`));
  found.forEach(([path, x], i) =>
    expect(relativeError(x.dataSync(), expected[i]?.[1].dataSync() ?? []), path).toBeLessThanOrEqual(tolerance),
  );
}

describe('scan on ONNX Runtime', () => {
  it('equals the eager loop: rows, numbers, captured values, several types, values handed through, scalars', async () => {
    const captured = random([2, 3], 8);
    await expectSame(
      (start: Tensor, rows: Tensor) => {
        const [end, ys] = scan(
          (s: { w: Tensor; n: Tensor; odd: Tensor }, { x, index }: { x: Tensor; index: Tensor }) =>
            [
              { w: tf.add(tf.mul(s.w, 0.5), tf.mul(captured, x)), n: tf.add(s.n, tf.scalar(1, 'int32')), odd: tf.logicalNot(s.odd) },
              { w: s.w, row: x, again: x, captured, index, total: tf.sum(s.w), odd: s.odd },
            ] as const,
          { w: start, n: tf.scalar(5, 'int32') as Tensor, odd: tf.scalar(false, 'bool') as Tensor },
          rows,
        );
        return { end, ys };
      },
      [random([2, 3], 1), random([4, 3], 2)],
    );
  });

  it('equals the eager loop without rows and without states', async () => {
    await expectSame((x: Tensor) => scan((s: Tensor) => [tf.sin(s)], x, undefined, { length: 5 })[0], [random([3], 1)]);
    await expectSame(
      (x: Tensor) => scan((s: Tree[], { x: row }: { x: Tensor }) => [s, tf.sum(row)] as const, [] as Tree[], x)[1],
      [random([4, 3], 1)],
    );
  });

  it('has the bits of eager noise, in loops of loops', async () => {
    const draws = (k: Key) =>
      scan(
        (s: Tensor, { key: own }: { key: Key }) => {
          const [end, deep] = scan(
            (t: Tensor, { key: inner }: { key: Key }) => [tf.add(t, 1), normal(foldIn(inner, 2), [3])] as const,
            s,
            undefined,
            { length: 2, key: own },
          );
          return [end, { deep, own: normal(own, []) }] as const;
        },
        tf.scalar(0) as Tensor,
        undefined,
        { length: 3, key: k },
      )[1];
    const expected = treeEntries(draws(key(8)));
    const found = await compiled(draws, [key(8)]);
    found.forEach(([path, x], i) => expect(numbers(x), path).toEqual(numbers(expected[i]?.[1] as Tensor)));
  });

  const network = convNet({ inputShape: [8, 8, 3], outputs: 3, width: 16, depth: 2 });
  const model = supervised({ network, energy: crossEntropyEnergy() });
  type Params = ReturnType<typeof network.init>;
  const chain = (params: Params, k: Key, x: Tensor, y: Tensor) =>
    scan(
      (theta: Params, { key: own }: { key: Key }) => {
        const { value, grad } = valueAndGrad((p: Params) => tf.neg(tf.mean(model.logLikelihood(p, { x, y }))))(theta);
        return [langevinStep(theta, grad, normalLike(own, theta), { stepSize: 0.02, temperature: 1e-4 }), value] as const;
      },
      params,
      undefined,
      { length: 6, key: k },
    );
  const targets = tf.tensor2d([1, 0, 0, 0, 1, 0], [2, 3]);
  const args = [network.init(key(0)), key(4), random([2, 8, 8, 3], 3), targets] as const;

  it('runs Langevin chains of networks like eager code', async () => {
    await expectSame(chain as never, args, 2e-4);
  });

  it('gives the same bits in chunks of any length, and frees every session', async () => {
    const bytes = treeEntries(args[0]).reduce((sum, [, x]) => sum + 4 * x.size, 0);
    let open = 0;
    const create = async (bytesOfModel: Uint8Array, options: object) => {
      const session = await ort.InferenceSession.create(bytesOfModel, options);
      open++;
      return {
        run: session.run.bind(session),
        release: async () => {
          open--;
          await session.release();
        },
      };
    };
    const target = () => onnxTarget({ ort: { ...ort, InferenceSession: { create } }, threads: 1 });
    const whole = await compiled(chain as never, args, target());
    for (const steps of [1, 3, 4]) {
      const found = await compiled(chain as never, args, target(), steps * bytes);
      found.forEach(([path, x], i) => expect(numbers(x), path).toEqual(numbers(whole[i]?.[1] as Tensor)));
    }
    expect(open).toBe(0);
  });

  it('computes what the data alone determine outside of the body', () => {
    const { graph } = trace(chain, [...args] as [Params, Key, Tensor, Tensor]);
    const { nodes } = lowerGraph(graph, 'onnx:cpu').model;
    const loop = nodes.find(({ op }) => op === 'Scan');
    const body = loop?.attributes['body'];
    if (typeof body !== 'object' || !('graph' in body)) throw new Error('no body');
    const inside = new Set(body.graph.nodes.flatMap(({ outputs }) => outputs));
    // Every node of the body needs something of the iteration.
    const own = new Set([...inside, ...body.graph.inputs.map(({ name }) => name)]);
    for (const { op, inputs, name } of body.graph.nodes) {
      if (op !== 'Identity')
        expect(
          inputs.some((input) => own.has(input)),
          name,
        ).toBe(true);
    }
    // The patches of the images, which the first convolution and its filter gradient read, are there once, outside.
    expect(body.graph.nodes.some(({ inputs }) => inputs.includes('in0'))).toBe(false);
    expect(nodes.indexOf(loop as (typeof nodes)[number])).toBeGreaterThan(3);
  });
});
