import { ConfigError, constant, eagerRuntime, MissingKernelError, ShapeError } from '@bpc/core';
import * as tf from '@tensorflow/tfjs-core';
import { add, cast, exp, greater, mul, type Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { testBackend } from './support/backend.js';
import { runtimes } from './support/runtimes.js';

const derived = ({ location, scale }: { location: Tensor; scale: Tensor }, { x }: { x: Tensor }) => ({
  theta: add(location, mul(exp(scale), x)),
  tau: exp(scale),
  whole: cast(location, 'int32'),
  above: [greater(location, 1), x],
  fixed: constant([0.25, 8]),
});

describe.each(runtimes)('a mapping (%s)', (_, make) => {
  it('is the closed form to float32 accuracy and leaves no tensors', async () => {
    const runtime = await make();
    const before = tf.memory().numTensors;
    const mapping = await runtime.mapping(derived, { scale: 0, location: [0, 0] }, { x: [1, 2] });
    expect(mapping.outputs.map(({ path, shape }) => `${path}[${shape}]`)).toEqual([
      'above/0[2]',
      'above/1[2]',
      'fixed[2]',
      'tau[]',
      'theta[2]',
      'whole[2]',
    ]);
    expect([mapping.size, mapping.outputSize]).toEqual([3, 11]);
    const out = new Float64Array(11);
    for (const [a, b, s] of [
      [0.5, 3.9, 0.1],
      [-2.5, 1, -3],
    ] as const) {
      await mapping.evaluate(Float64Array.of(a, b, s), out);
      const tau = Math.exp(s);
      [+(a > 1), +(b > 1), 1, 2, 0.25, 8, tau, a + tau, b + 2 * tau, Math.trunc(a), Math.trunc(b)].forEach((want, i) => {
        expect(Math.abs((out[i] ?? Number.NaN) - want)).toBeLessThan(3e-6);
      });
    }
    await mapping.dispose();
    expect(tf.memory().numTensors).toBe(before);
    await expect((async () => mapping.evaluate(new Float64Array(3), out))()).rejects.toThrow('the mapping is disposed');
    await runtime.dispose();
  });

  it('can be the identity, a constant, or nothing at all', async () => {
    const runtime = await make();
    const out = new Float64Array(2);
    const identity = await runtime.mapping((p: { x: Tensor }) => p, { x: [0, 0] });
    await identity.evaluate(Float64Array.of(0.5, -2), out);
    expect([...out]).toEqual([0.5, -2]);
    const fixed = await runtime.mapping(() => constant([3, 5]), { x: 0 });
    await fixed.evaluate(Float64Array.of(1), out);
    expect([...out]).toEqual([3, 5]);
    const nothing = await runtime.mapping(() => ({}), { x: 0 });
    expect([nothing.outputSize, nothing.outputs]).toEqual([0, []]);
    await nothing.evaluate(Float64Array.of(1), new Float64Array(0));
    await runtime.dispose();
  });

  it('refuses vectors of other lengths, promises, and results that are no tensors', async () => {
    const runtime = await make();
    const mapping = await runtime.mapping(derived, { scale: 0, location: [0, 0] }, { x: [1, 2] });
    const evaluate = async (position: number, out: number) => mapping.evaluate(new Float64Array(position), new Float64Array(out));
    await expect(evaluate(2, 11)).rejects.toThrow(ShapeError);
    await expect(evaluate(3, 10)).rejects.toThrow('expected 3 and 11');
    const before = tf.memory().numTensors;
    await expect(runtime.mapping((async () => ({})) as never, { x: 1 })).rejects.toThrow(/returned a promise/);
    await expect(runtime.mapping((() => ({ x: 'text' })) as never, { x: 1 })).rejects.toThrow(ConfigError);
    expect(tf.memory().numTensors).toBe(before);
    await mapping.dispose();
    await runtime.dispose();
  });
});

describe('an eager mapping', () => {
  it('names a kernel that the backend lacks, and refuses to run on another backend or a disposed runtime', async () => {
    const runtime = eagerRuntime();
    const mapping = await runtime.mapping(({ x }: { x: Tensor }) => exp(x), { x: 1 });
    const kernel = tf.getKernel('Exp', testBackend);
    tf.unregisterKernel('Exp', testBackend);
    try {
      const before = tf.memory().numTensors;
      await expect(mapping.evaluate(Float64Array.of(1), new Float64Array(1))).rejects.toThrow(MissingKernelError);
      expect(tf.memory().numTensors).toBe(before);
    } finally {
      tf.registerKernel(kernel);
    }
    await runtime.dispose();
    await expect(mapping.evaluate(Float64Array.of(1), new Float64Array(1))).rejects.toThrow(/runtime is disposed/);
  });
});
