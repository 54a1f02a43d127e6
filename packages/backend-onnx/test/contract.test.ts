import '@tensorflow/tfjs-backend-cpu';
import { onnxRuntime } from '@bpc/backend-onnx';
import { jsRuntime } from '@bpc/compiler';
import {
  ConfigError,
  disposeTree,
  foldIn,
  grad,
  type Key,
  key,
  MissingGradientError,
  MissingKernelError,
  normal,
  type Runtime,
  uniform,
} from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const targets: readonly (readonly [string, () => Runtime | Promise<Runtime>])[] = [
  ['js', () => jsRuntime()],
  ['ONNX Runtime', () => onnxRuntime({ ort, threads: 1 })],
];
const numbers = (x: Tensor) => [...x.dataSync()];
const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error as Error,
  );

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(targets)('programs on %s', (_, makeRuntime) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await makeRuntime();
  });
  afterAll(() => runtime.dispose());
  afterEach(() => expect(tf.getBackend()).toBe('cpu'));

  it('compile while others compile and run, and while eager work and other promises go on', async () => {
    const other = await makeRuntime();
    const layers = (depth: number) => (x: Tensor) => {
      let y = x;
      for (let i = 0; i < depth; i++) y = tf.mul(tf.sin(tf.add(y, i)), 0.9);
      return y;
    };
    const depths = [1, 2, 3, 4, 5, 6];
    const programs = depths.map((depth, i) => (i % 2 ? runtime : other).compile(layers(depth)));
    const density = other.density((p: { x: Tensor }) => tf.sum(tf.square(p.x)) as Scalar, { x: [1, 2] });
    let foreign = 0;
    const eager = async (offset: number) => {
      for (let k = 0; k < 30; k++) {
        if (tf.getBackend() !== 'cpu') foreign++;
        const y = tf.tidy(() => tf.add(tf.square(tf.scalar(k)), offset));
        expect((await y.data())[0]).toBe(k * k + offset);
        y.dispose();
        // Both ways of giving way: to other promises only, and to the event loop.
        await (k % 2 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, 0)));
      }
    };
    const x = tf.tensor1d([0.1, -2]);
    const [results] = await Promise.all([Promise.all(programs.map((program) => program(x))), density, eager(1), eager(2)]);
    expect(foreign).toBe(0);
    depths.forEach((depth, i) => {
      const expected = numbers(layers(depth)(x));
      numbers(results[i] as Tensor).forEach((value, j) => expect(value).toBeCloseTo(expected[j] as number, 5));
    });
    const gradient = new Float64Array(2);
    expect(await (await density).evaluate(Float64Array.of(3, 4), gradient)).toBe(25);
    await other.dispose();
  });

  it('copy what they capture: the tensor stays on its backend, and its later fate does not matter', async () => {
    const captured = tf.tensor1d([1, 2, 3]);
    const program = runtime.compile((x: Tensor) => tf.add(x, captured));
    expect(numbers(await program(tf.zeros([3])))).toEqual([1, 2, 3]);
    const cpu = tf.findBackend('cpu') as unknown as { readonly data: { has(id: object): boolean } };
    expect(cpu.data.has(captured.dataId)).toBe(true);
    expect(numbers(tf.mul(captured, 2))).toEqual([2, 4, 6]);
    captured.dispose();
    expect(numbers(await program(tf.ones([3])))).toEqual([2, 3, 4]);
  });

  it('return memory of their own: no output shares any with an input, a captured tensor or another output', async () => {
    const [x, captured] = [tf.tensor1d([1, 2, 3]), tf.tensor1d([5, 6])];
    const program = runtime.compile((a: Tensor) => {
      const y = tf.exp(a);
      return { a, again: a, y, z: y, flat: tf.reshape(y, [3, 1]), captured, none: tf.zeros([2]) };
    });
    const all = [x, captured, ...Object.values(await program(x)), ...Object.values(await program(x))];
    const arrays = all.map((tensor) => tensor.dataSync());
    expect(new Set(arrays.map((array) => array.buffer)).size).toBe(all.length);
    const before = arrays.map((array) => [...array]);
    arrays[2]?.fill(9);
    expect(arrays.filter((_, i) => i !== 2).map((array) => [...array])).toEqual(before.filter((_, i) => i !== 2));
    expect(numbers(x)).toEqual([1, 2, 3]);
  });

  it('answer overlapping calls in order, one failing call included, and are disposed after the last', async () => {
    const own = await makeRuntime();
    const program = own.compile((x: Tensor) => tf.sum(tf.square(x)));
    const order: number[] = [];
    const calls = [4, 3, 2, 1].map(async (size) => {
      const [value] = numbers(await program(tf.ones([size])));
      order.push(size);
      return value;
    });
    const gone = tf.ones([2]);
    gone.dispose();
    const bad = failure(program(gone));
    const disposed = program.dispose();
    expect(await Promise.all(calls)).toEqual([4, 3, 2, 1]);
    expect(order).toEqual([4, 3, 2, 1]);
    expect(await bad).toBeInstanceOf(ConfigError);
    await Promise.all([disposed, program.dispose(), own.dispose()]);
    expect((await failure(program(tf.ones([2])))).message).toMatch(/disposed/);
  });

  it('leave their arguments alone', async () => {
    const x = { w: tf.tensor1d([1, 2]), b: tf.scalar(3) };
    const program = runtime.compile((p: { w: Tensor; b: Tensor }) => ({ w: tf.add(p.w, p.b), b: p.b }));
    for (let i = 0; i < 3; i++) disposeTree(await program(x));
    expect([x.w.isDisposed, x.b.isDisposed, numbers(x.w), numbers(x.b)]).toEqual([false, false, [1, 2], [3]]);
  });

  it('draw the bits that eager code draws, whatever the order and number of draws', async () => {
    const draws = (k: Key) => ({
      b: uniform(foldIn(k, 9), [3, 3]),
      a: normal(foldIn(foldIn(k, 2), 2 ** 33), [129]),
      again: normal(k, []),
    });
    const program = runtime.compile(draws);
    for (const seed of [0, 2 ** 52]) {
      const [found, expected] = [await program(key(seed)), draws(key(seed))];
      for (const name of ['a', 'b', 'again'] as const) expect(found[name].dataSync()).toEqual(expected[name].dataSync());
    }
  });

  it('refuse what cannot be compiled before anything runs, and leave nothing behind', async () => {
    const before = tf.memory().numTensors;
    const x = tf.ones([2, 4]);
    const captured = key(1);
    const overwritten = (p: Tensor) => tf.sum(tf.tensorScatterUpdate(p, tf.tensor2d([0], [1, 1], 'int32'), tf.zeros([1, 4])));
    const cases: [(x: Tensor) => Tensor, abstract new (...args: never[]) => Error, RegExp][] = [
      [(async (a: Tensor) => a) as never, ConfigError, /returned a promise/],
      [(a) => tf.unique(tf.reshape(a, [8])).values, MissingKernelError, /Unique/],
      [(a) => grad(overwritten)(a), MissingGradientError, /TensorScatterUpdate/],
      [(a) => tf.mul(a, a.dataSync()[0] ?? 0), ConfigError, /read the value/],
      [(a) => tf.add(a, normal(captured, [2, 4])), ConfigError, /pass the key as an argument/],
    ];
    for (const [fn, type, message] of cases) {
      const program = runtime.compile(fn);
      const error = await failure(program.prepare(x));
      expect(error.message).toMatch(message);
      expect(error).toBeInstanceOf(type);
      expect(tf.memory().numTensors).toBe(before + 1);
      await program.dispose();
    }
    x.dispose();
  });
});
