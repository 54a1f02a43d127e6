import { onnxRuntime, registerOnnxBackend } from '@bpc/backend-onnx';
import { ConfigError, cholesky, eagerRuntime, grad, type Key, key, logDet, MissingKernelError, normal } from '@bpc/core';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { afterEach, describe, expect, it } from 'vitest';
import { countedOrt, failure, thrown } from './eager-helpers.js';

const values = async (x: tf.Tensor): Promise<number[]> => Array.from(await x.data());
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

afterEach(async () => {
  await tf.setBackend('cpu');
  if (tf.findBackendFactory('onnx') !== null) tf.removeBackend('onnx');
});

describe('registering', () => {
  it('refuses what is not ONNX Runtime, and options outside their domain, and leaves nothing behind', async () => {
    const cases: [object, string][] = [
      [{ ort: {} }, 'ort is'],
      [{ ort: undefined }, 'ort is'],
      [{ ort, threads: 0 }, 'threads is 0'],
      [{ ort, sessions: 0 }, 'sessions is 0'],
      [{ ort, name: '' }, 'name is'],
      [{ ort, fallback: 'nowhere' }, "fallback is 'nowhere'"],
      [{ ort, fallback: 'onnx' }, "fallback is 'onnx'"],
      [{ ort, executionProvider: ['cpu'] }, "unknown option 'executionProvider'"],
      [{ ort, executionProviders: ['nowhere'] }, "'nowhere', which is not available"],
    ];
    for (const [options, message] of cases) {
      const error = await failure(registerOnnxBackend(options as Parameters<typeof registerOnnxBackend>[0]));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toContain(message);
      expect(tf.findBackendFactory('onnx')).toBeNull();
    }
  });

  it('names what to install when a provider does not start, and leaves nothing behind', async () => {
    const broken = { ...ort, InferenceSession: { create: () => Promise.reject(new Error('no such device')) } };
    const error = await failure(registerOnnxBackend({ ort: broken as never, executionProviders: ['webgpu'] }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("'webgpu' does not start: no such device");
    expect(error.message).toContain('install');
    expect(tf.findBackendFactory('onnx')).toBeNull();
  });

  it('happens before it returns, so that setBackend needs no await in between', async () => {
    const registered = registerOnnxBackend({ ort });
    expect(await tf.setBackend('onnx')).toBe(true);
    expect(await values(tf.square(tf.tensor1d([3])))).toEqual([9]);
    expect((await registered).name).toBe('onnx');
  });

  it('refuses a name that is taken, and takes it again once it is free; removing releases every session', async () => {
    const { ort: counted, sessions } = countedOrt();
    await registerOnnxBackend({ ort: counted });
    expect(await failure(registerOnnxBackend({ ort: counted }))).toBeInstanceOf(ConfigError);
    await tf.setBackend('onnx');
    await tf.exp(tf.tensor1d([1])).data();
    await tf.setBackend('cpu');
    tf.removeBackend('onnx');
    await settle();
    expect(sessions.created).toBeGreaterThan(1);
    expect(sessions.released).toBe(sessions.created);
    await registerOnnxBackend({ ort: counted });
    await tf.setBackend('onnx');
    expect(await values(tf.neg(tf.tensor1d([1])))).toEqual([-1]);
  });
});

describe('kernels without a lowering', () => {
  const volume = () => tf.neg(tf.reshape(tf.range(0, 8), [1, 2, 2, 2, 1])) as tf.Tensor5D;
  const filter = () => tf.ones<tf.Rank.R5>([2, 2, 2, 1, 1]);

  it('are errors without a fallback', async () => {
    const { stats } = await registerOnnxBackend({ ort });
    await tf.setBackend('onnx');
    expect(thrown(() => tf.conv3d(volume(), filter(), 1, 'valid')).message).toContain("'Conv3D' not registered for backend 'onnx'");
    const error = thrown(() => tf.concat([tf.tensor1d(['a']), tf.tensor1d(['b'])]));
    expect(error).toBeInstanceOf(MissingKernelError);
    expect(error.message).toContain('for string tensors');
    expect(stats().fallback).toEqual({});
  });

  it('factor matrices on the fallback, computed values included, and are errors without one', async () => {
    await registerOnnxBackend({ ort });
    await tf.setBackend('onnx');
    const a = () => tf.matMul(tf.tensor2d([2, 0, 1, 2], [2, 2]), tf.tensor2d([2, 0, 1, 2], [2, 2]), false, true);
    expect(thrown(() => cholesky(a()))).toBeInstanceOf(MissingKernelError);
    await tf.setBackend('cpu');
    tf.removeBackend('onnx');
    await registerOnnxBackend({ ort, fallback: 'cpu' });
    await tf.setBackend('onnx');
    expect(await values(cholesky(a()))).toEqual([2, 0, 1, 2]);
    expect((await values(logDet(a())))[0]).toBeCloseTo(Math.log(16), 6);
  });

  it('run on the fallback, on values that are there and on values that are not', async () => {
    const { stats } = await registerOnnxBackend({ ort, fallback: 'cpu' });
    await tf.setBackend('onnx');
    const before = tf.engine().findBackend('cpu').numDataIds();
    const waiting = volume();
    const y = tf.conv3d(waiting, filter(), 1, 'valid');
    expect(thrown(() => y.dataSync()).name).toBe('PendingTensorError');
    expect(await values(tf.add(y, 1))).toEqual([-27]);
    await waiting.data();
    expect(Array.from(tf.conv3d(waiting, filter(), 1, 'valid').dataSync())).toEqual([-28]);
    expect(stats()).toMatchObject({ fallback: { Conv3D: 2 }, declined: {}, lowered: { Add: 1, Neg: 1 } });
    expect(tf.engine().findBackend('cpu').numDataIds()).toBe(before);
  });

  it('give no wrong result when their shape depends on values that are not there', async () => {
    await registerOnnxBackend({ ort, fallback: 'cpu' });
    await tf.setBackend('onnx');
    const x = tf.neg(tf.tensor1d([1, 2, 2, 3]));
    const early = tf.unique(x);
    const error = await failure(early.values.data());
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("'Unique' gave [3],[4], expected [1],[4]");
    expect(error.message).toContain('await data()');
    await x.data();
    expect(await values(tf.unique(x).values)).toEqual([-1, -2, -3]);
  });

  it('say why a call of a kernel that has a lowering went there', async () => {
    const { stats } = await registerOnnxBackend({ ort, fallback: 'cpu' });
    await tf.setBackend('onnx');
    const words = tf.concat([tf.tensor1d(['a']), tf.tensor1d(['b'])]);
    expect(await words.data()).toEqual(['a', 'b']);
    const { declined, fallback } = stats();
    expect(fallback).toEqual({ Concat: 1 });
    expect(Object.keys(declined['Concat'] ?? {})).toEqual([expect.stringContaining('for string tensors')]);
    const z = tf.complex(tf.tensor1d([3]), tf.tensor1d([4]));
    expect(await values(tf.abs(z))).toEqual([5]);
  });
});

describe('the eager backend beside a compiled runtime', () => {
  it('serves programs with tensors that are not computed yet, and computes with their results', async () => {
    await registerOnnxBackend({ ort });
    await tf.setBackend('onnx');
    const runtime = await onnxRuntime({ ort, threads: 1 });
    const program = runtime.compile((x: tf.Tensor) => tf.mul(x, 3));
    const x = tf.sqrt(tf.tensor1d([4, 9]));
    const [tripled, eager] = await Promise.all([program(x), tf.add(x, 1).data()]);
    expect(Array.from(eager)).toEqual([3, 4]);
    expect(await values(tf.sub(tripled, x))).toEqual([4, 6]);
    expect(tf.getBackend()).toBe('onnx');
    await runtime.dispose();
    expect(await values(tf.neg(x))).toEqual([-2, -3]);
  });

  it('is a backend for the eager runtime, with the noise of every other', async () => {
    const program = (k: Key, x: tf.Tensor) => grad((z: tf.Tensor) => tf.sum(tf.square(tf.sub(z, normal(k, [2])))))(x);
    const run = async () => {
      const runtime = eagerRuntime();
      const result = await values(await runtime.compile(program)(key(3), tf.tensor1d([0.5, 1])));
      await runtime.dispose();
      return { name: runtime.name, result };
    };
    const reference = await run();
    await registerOnnxBackend({ ort });
    await tf.setBackend('onnx');
    const { name, result } = await run();
    expect(name).toBe('tfjs:onnx');
    expect(result).toEqual(reference.result);
  });

  it('refuses to capture what is not computed yet, and says to pass it', async () => {
    await registerOnnxBackend({ ort });
    await tf.setBackend('onnx');
    const runtime = await onnxRuntime({ ort, threads: 1 });
    const captured = tf.sqrt(tf.tensor1d([4, 9]));
    const program = runtime.compile((x: tf.Tensor) => tf.mul(x, captured));
    const error = await failure(program(tf.tensor1d([1, 2])));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain('pass it as an argument');
    await captured.data();
    expect(await values(await program(tf.tensor1d([1, 2])))).toEqual([2, 6]);
    await runtime.dispose();
  });
});
