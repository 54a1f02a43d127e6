import type { Key } from '@bpc/core';
import {
  ConfigError,
  disposeTree,
  eagerRuntime,
  ensureHostBackend,
  HOST_BACKEND,
  key,
  MissingKernelError,
  normal,
  ShapeError,
} from '@bpc/core';
import type { KernelConfig, Scalar, Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  getKernel,
  memory,
  mul,
  registerKernel,
  scalar,
  setBackend,
  square,
  sum,
  tensor1d,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { testBackend } from './support/backend.js';

describe('eagerRuntime', () => {
  const runtime = eagerRuntime();

  it('is named after the backend that is set', () => {
    expect(runtime.name).toBe(`tfjs:${testBackend}`);
    expect(runtime.describe()).toMatchObject({ runtime: `tfjs:${testBackend}` });
  });

  it('runs trees, keys and missing arguments, and leaves nothing but the outputs', async () => {
    const program = runtime.compile((k: Key, { x }: { x: Tensor }, extra: Tensor | undefined) => {
      const sum2 = add(square(x), normal(k, [2]));
      return { y: extra === undefined ? sum2 : add(sum2, extra), parts: [mul(x, 2)] };
    });
    const x = tensor1d([1, 2]);
    const before = memory().numTensors;
    const first = await program(key(1), { x }, undefined);
    expect(memory().numTensors).toBe(before + 2);
    const second = await program(key(1), { x }, scalar(1));
    const [a, b] = [await first.y.data(), await second.y.data()];
    expect([...b].map((v, i) => v - (a[i] as number)).every((d) => Math.abs(d - 1) < 1e-6)).toBe(true);
    expect([...((await first.parts[0]?.data()) ?? [])]).toEqual([2, 4]);
  });

  it('gives fresh outputs that survive their inputs, even if the function returns an argument or a captured tensor', async () => {
    const captured = scalar(7);
    const x = tensor1d([1, 2]);
    const program = runtime.compile((a: Tensor) => ({ a, again: a, captured }));
    const out = await program(x);
    expect(new Set([x.id, captured.id, out.a.id, out.again.id, out.captured.id]).size).toBe(5);
    disposeTree([x, out.again]);
    expect([...(await out.a.data())]).toEqual([1, 2]);
    disposeTree(out.captured);
    expect(captured.isDisposed).toBe(false);
  });

  it('serves overlapping calls in order', async () => {
    const order: number[] = [];
    const program = runtime.compile((x: Tensor) => square(x));
    const calls = [1, 2, 3].map(async (v) => {
      const y = await program(scalar(v));
      order.push((await y.data())[0] as number);
    });
    await Promise.all(calls);
    expect(order).toEqual([1, 4, 9]);
  });

  it('refuses functions that return promises', async () => {
    const program = runtime.compile((async (x: Tensor) => square(x)) as unknown as (x: Tensor) => Tensor);
    await expect(program(scalar(1))).rejects.toThrow(ConfigError);
  });

  it('passes errors of the function on, without leaking', async () => {
    const program = runtime.compile((x: Tensor): Tensor => {
      square(x);
      throw new ShapeError('no', 'never');
    });
    const x = scalar(1);
    const before = memory().numTensors;
    await expect(program(x)).rejects.toThrow(ShapeError);
    expect(memory().numTensors).toBe(before);
  });

  it('prepare surfaces errors and leaves no tensors', async () => {
    const x = scalar(1);
    const before = memory().numTensors;
    await runtime.compile((a: Tensor) => square(a)).prepare(x);
    await expect(
      runtime
        .compile((): Tensor => {
          throw new ShapeError('no', 'never');
        })
        .prepare(),
    ).rejects.toThrow(ShapeError);
    expect(memory().numTensors).toBe(before);
  });

  it('says so when a program, the runtime or the backend is gone', async () => {
    const own = eagerRuntime();
    const [one, two] = [own.compile((x: Tensor) => square(x)), own.compile((x: Tensor) => square(x))];
    await one.dispose();
    await expect(one(scalar(1))).rejects.toThrow(/program is disposed/);
    await own.dispose();
    await expect(two(scalar(1))).rejects.toThrow(/runtime is disposed/);
  });

  it('refuses a backend that cannot compute, and to run on another one than it was made on', async () => {
    ensureHostBackend();
    await setBackend(HOST_BACKEND);
    try {
      expect(() => eagerRuntime()).toThrow(/only stores tensors/);
      await expect(runtime.compile((a: Tensor) => square(a))(scalar(1))).rejects.toThrow(`made on '${testBackend}'`);
    } finally {
      await setBackend(testBackend);
    }
  });

  it('names a kernel that the backend lacks', async () => {
    const config = getKernel('Square', testBackend) as KernelConfig;
    unregisterKernel('Square', testBackend);
    try {
      const error = await runtime
        .compile(function squared(a: Tensor) {
          return square(a);
        })(scalar(2))
        .catch((e: unknown) => e);
      expect(error).toBeInstanceOf(MissingKernelError);
      expect(String(error)).toMatch(/'squared'.*compiled runtime/);
      expect(error).toMatchObject({ kernel: 'Square', target: `tfjs:${testBackend}` });
    } finally {
      registerKernel(config);
    }
  });
});

describe('density', () => {
  const like = { scale: 1, location: [0, 0] };
  const logDensity = ({ location, scale: s }: { location: Tensor; scale: Tensor; unused?: Tensor }, { x }: { x: Tensor }) =>
    mul(sum(square(mul(add(location, mul(x, -1)), s))), -0.5) as Scalar;

  it('gives value and gradient to float32 accuracy, keys in sorted order', async () => {
    const density = await eagerRuntime().density(logDensity, { ...like, unused: 3 }, { x: [1, 2] });
    expect(density.size).toBe(4);
    // Order: location (2), scale, unused.
    const position = density.flatten({ location: [0.5, -1], scale: 2, unused: 0 });
    expect([...position]).toEqual([0.5, -1, 2, 0]);
    const gradient = new Float64Array(4);
    const before = memory().numTensors;
    const value = await density.evaluate(position, gradient);
    expect(memory().numTensors).toBe(before);
    // −½ s² Σ (l − x)², s = 2, l − x = (−½, −3).
    expect(value).toBeCloseTo(-0.5 * 4 * 9.25, 4);
    [2, 12, -2 * 9.25, 0].forEach((g, i) => expect(gradient[i]).toBeCloseTo(g, 4));
    expect(density.unflatten(position)).toEqual({ location: [0.5, -1], scale: 2, unused: 0 });
    await density.dispose();
  });

  it('refuses parameters and vectors of other shapes, and ragged data', async () => {
    const density = await eagerRuntime().density(logDensity, like, { x: [1, 2] });
    expect(() => density.flatten({ location: [1], scale: 1 })).toThrow(ShapeError);
    expect(() => density.flatten({ location: [1, 2] })).toThrow(ShapeError);
    await expect(density.evaluate(new Float64Array(2), new Float64Array(3))).rejects.toThrow(ShapeError);
    await expect(eagerRuntime().density(logDensity, like, { x: [[1, 2], [3]] as number[][] })).rejects.toThrow(/x\[1\] has shape \[1\]/);
  });
});
