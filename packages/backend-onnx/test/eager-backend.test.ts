import { KernelError, PendingTensorError, type RegisteredOnnxBackend, registerOnnxBackend } from '@bpc/backend-onnx';
import { ConfigError, ensureHostBackend, installGradients } from '@bpc/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countedOrt, failure, thrown } from './eager-helpers.js';

const { ort, sessions } = countedOrt();
let backend: RegisteredOnnxBackend;
const unhandled: unknown[] = [];
const note = (error: unknown) => unhandled.push(error);

beforeAll(async () => {
  installGradients();
  process.on('unhandledRejection', note);
  backend = await registerOnnxBackend({ ort, sessions: 64 });
  await tf.setBackend(backend.name);
});
afterAll(() => {
  process.off('unhandledRejection', note);
});

const values = async (x: tf.Tensor): Promise<number[]> => Array.from(await x.data());
const dataIds = () => tf.engine().backend.numDataIds();

describe('values', () => {
  it('are there at once when they were uploaded, and after they were read when they are computed', async () => {
    const x = tf.tensor1d([1, 4, 9]);
    expect(Array.from(x.dataSync())).toEqual([1, 4, 9]);
    const y = tf.sqrt(x);
    const error = thrown(() => y.dataSync());
    expect(error).toBeInstanceOf(PendingTensorError);
    expect(error).toMatchObject({ code: 'PENDING_TENSOR', remedy: expect.stringContaining('data()') });
    expect(await values(y)).toEqual([1, 2, 3]);
    expect(Array.from(y.dataSync())).toEqual([1, 2, 3]);
  });

  it('are right whatever the order of calls and reads', async () => {
    const x = tf.tensor1d([1, 2]);
    let y = x;
    const all: tf.Tensor[] = [];
    for (let i = 0; i < 20; i++) all.push((y = tf.add(y, x)));
    expect(await values(all[19]!)).toEqual([21, 42]);
    for (const [i, each] of all.entries()) expect(await values(each)).toEqual([i + 2, 2 * (i + 2)]);
  });

  it('do not change with the array they were uploaded from, or the one they were read into', async () => {
    const source = new Float32Array([1, 2]);
    const x = tf.tensor1d(source);
    const y = tf.mul(x, 10);
    source[0] = 99;
    expect(await values(y)).toEqual([10, 20]);
    (await y.data())[0] = 99;
    expect(await values(tf.add(y, 0.5))).toEqual([10.5, 20.5]);
    expect(await values(x)).toEqual([1, 2]);
  });

  it('have gradients, through several kernels', async () => {
    const x = tf.tensor1d([0.5, -1]);
    const gradient = tf.grad((z: tf.Tensor) => tf.sum(tf.mul(tf.exp(z), z)))(x);
    const expected = [0.5, -1].map((z) => Math.exp(z) * (1 + z));
    for (const [i, value] of (await values(gradient)).entries()) expect(value).toBeCloseTo(expected[i]!, 6);
  });

  it('can be empty', async () => {
    const none = tf.zeros([0, 3]);
    expect(await values(tf.exp(none))).toEqual([]);
    expect(await values(tf.sum(none))).toEqual([0]);
    expect(await values(tf.sum(none, 0))).toEqual([0, 0, 0]);
    expect(await values(tf.concat([none, tf.ones([1, 3])], 0))).toEqual([1, 1, 1]);
    expect(await values(tf.matMul(tf.zeros([2, 0]), none))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(tf.matMul(none, tf.zeros([3, 4])).shape).toEqual([0, 4]);
  });

  it('keep their dtype: bool counts as 0 and 1, integers stay exact', async () => {
    const x = tf.tensor1d([1, 5, 3]);
    const large = tf.greater(x, 2);
    expect(large.dtype).toBe('bool');
    expect(await values(tf.sum(large))).toEqual([2]);
    const big = tf.tensor1d([2 ** 24 + 1], 'int32');
    expect(await values(tf.add(big, tf.scalar(1, 'int32')))).toEqual([2 ** 24 + 2]);
  });

  it('come from other backends', async () => {
    ensureHostBackend();
    await tf.setBackend('host');
    const elsewhere = tf.tensor1d([3, 4]);
    await tf.setBackend(backend.name);
    expect(await values(tf.square(elsewhere))).toEqual([9, 16]);
    expect(await values(elsewhere)).toEqual([3, 4]);
  });
});

describe('what is held', () => {
  it('is released when tensors are disposed, finished or not', async () => {
    const before = { tensors: tf.memory().numTensors, data: dataIds() };
    const x = tf.tensor1d([1, 2, 3]);
    const y = tf.exp(x);
    x.dispose();
    const z = tf.log(y);
    y.dispose();
    const result = await values(z);
    z.dispose();
    for (const [i, value] of result.entries()) expect(value).toBeCloseTo(i + 1, 6);
    expect({ tensors: tf.memory().numTensors, data: dataIds() }).toEqual(before);
  });

  it('is shared by views and copies, until the last is disposed', async () => {
    const before = dataIds();
    const x = tf.sqrt(tf.tensor1d([1, 4, 9, 16]));
    const view = tf.reshape(x, [2, 2]);
    const copy = tf.clone(view);
    const wide = tf.expandDims(copy, 0);
    expect(dataIds()).toBe(before + 2);
    x.dispose();
    view.dispose();
    copy.dispose();
    expect(await wide.array()).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    wide.dispose();
    expect(dataIds()).toBe(before + 1);
  });

  it('stays the same over a thousand steps with gradients', async () => {
    const w = tf.variable(tf.tensor1d([1, 2]));
    const step = async () => {
      const next = tf.tidy(() => tf.sub(w, tf.mul(tf.grad((v: tf.Tensor) => tf.sum(tf.square(v)))(w), 0.01)));
      w.assign(next as tf.Tensor1D);
      next.dispose();
      await w.data();
    };
    await step();
    const before = { tensors: tf.memory().numTensors, data: dataIds(), programs: backend.stats().programs, created: sessions.created };
    for (let i = 0; i < 1000; i++) await step();
    expect({ tensors: tf.memory().numTensors, data: dataIds(), programs: backend.stats().programs, created: sessions.created }).toEqual(
      before,
    );
    const expected = [1, 2].map((v) => v * 0.98 ** 1001);
    for (const [i, value] of (await values(w)).entries()) expect(value).toBeCloseTo(expected[i]!, 6);
    w.dispose();
  });

  it('is one session per kernel, shapes and attributes, and at most as many as allowed', async () => {
    const start = sessions.created;
    for (let i = 0; i < 5; i++) await tf.leakyRelu(tf.tensor1d([-1, 1]), 0.25).data();
    expect(sessions.created).toBe(start + 1);
    expect(await values(tf.leakyRelu(tf.tensor1d([-1, 1]), 0.5))).toEqual([-0.5, 1]);
    expect(sessions.created).toBe(start + 2);
    const results = Array.from({ length: 200 }, (_, i) => tf.neg(tf.fill([i + 1], i)));
    // Programs are retired while calls of theirs still wait.
    for (const [i, result] of results.entries()) expect((await result.data())[0]).toBe(-i);
    expect(backend.stats().programs).toBe(64);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sessions.created - sessions.released - 1).toBeLessThanOrEqual(64);
  });
});

describe('a failing kernel', () => {
  it('throws at the read of what depends on it, by name, and disturbs nothing else', async () => {
    const x = tf.tensor1d([1, 2]);
    const bad = tf.gather(x, tf.tensor1d([0, 7], 'int32'));
    const dependent = tf.add(bad, 1);
    const other = tf.mul(x, 2);
    const error = await failure(bad.data());
    expect(error).toBeInstanceOf(KernelError);
    expect(error).toMatchObject({ code: 'KERNEL', kernel: 'GatherV2' });
    expect(await failure(dependent.data())).toBe(error);
    expect(await values(other)).toEqual([2, 4]);
  });

  it('is silent when nobody reads', async () => {
    tf.dispose(tf.gather(tf.tensor1d([1, 2]), tf.tensor1d([7], 'int32')));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(unhandled).toEqual([]);
  });

  it('is a ConfigError at the call when its operand is disposed', () => {
    const x = tf.tensor1d([1, 2]);
    x.dispose();
    expect(thrown(() => tf.engine().runKernel('Exp', { x }))).toBeInstanceOf(ConfigError);
  });
});

describe('what tfjs asks of a backend', () => {
  it('has the precision of float32', () => {
    expect(tf.backend().epsilon()).toBe(1e-7);
    expect(tf.backend().floatPrecision()).toBe(32);
    expect(tf.memory()).toMatchObject({ unreliable: true, reasons: [expect.stringContaining('sessions')] });
  });

  it('is timed until everything called is computed', async () => {
    let y: tf.Tensor | undefined;
    const { kernelMs, wallMs } = await tf.time(() => {
      y = tf.exp(tf.exp(tf.zeros([7])));
    });
    expect(kernelMs).toEqual(expect.any(Number));
    expect(wallMs).toEqual(expect.any(Number));
    expect(y?.dataSync()[0]).toBeCloseTo(Math.E, 6);
  });
});
