import { compiledRuntime, jsRuntime, jsTarget, type Target } from '@bpc/compiler';
import { ConfigError, foldIn, hostInteger, hostNormal, type Key, key, MissingKernelError, normal, split, uniform } from '@bpc/core';
import { mlp } from '@bpc/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { random } from './helpers.js';

const numbers = (x: Tensor) => [...x.dataSync()];
const runtime = jsRuntime();
afterEach(() => expect(tf.getBackend()).toBe('cpu'));

describe('a program', () => {
  it('runs while other programs compile and eager work goes on', async () => {
    const programs = Array.from({ length: 6 }, (_, i) => jsRuntime().compile((x: Tensor) => tf.mul(tf.exp(x), i)));
    const eager = async (i: number) => {
      for (let k = 0; k < 20; k++) {
        expect(tf.getBackend()).toBe('cpu');
        const y = tf.tidy(() => tf.add(tf.scalar(k), i));
        expect((await y.data())[0]).toBe(k + i);
        y.dispose();
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    };
    const results = await Promise.all([
      ...programs.flatMap((program) => [program(tf.scalar(1)), program(tf.tensor([0, 1]))]),
      eager(1),
      eager(2),
    ]);
    programs.forEach((_, i) => {
      expect(numbers(results[2 * i]!)[0]).toBeCloseTo(i * Math.E, 5);
      expect(numbers(results[2 * i + 1]!)).toHaveLength(2);
    });
  });

  it('is traced once per combination of shapes', async () => {
    let traces = 0;
    const program = runtime.compile((x: Tensor, y?: Tensor) => {
      traces++;
      return y ? tf.add(x, y) : x;
    });
    const [a, b] = [tf.tensor([1, 2]), tf.tensor([[3], [4]])];
    for (let i = 0; i < 3; i++) {
      expect(numbers(await program(a, a))).toEqual([2, 4]);
      expect(numbers(await program(a, b))).toEqual([4, 5, 5, 6]);
      expect(numbers(await program(a, undefined))).toEqual([1, 2]);
    }
    await program.prepare(tf.tensor([9, 9]), b);
    expect(traces).toBe(3);
  });

  it('never returns the same memory twice, nor that of an input', async () => {
    const x = tf.tensor([1, 2, 3]);
    const captured = tf.tensor([5, 6]);
    const program = runtime.compile((a: Tensor) => {
      const y = tf.exp(a);
      return { a, again: a, y, z: y, w: tf.reshape(y, [3, 1]), captured, six: tf.tensor([6, 7]) };
    });
    const first = await program(x);
    const second = await program(x);
    for (const result of [first, second]) {
      expect(numbers(result.a)).toEqual([1, 2, 3]);
      expect(numbers(result.z)).toEqual(numbers(result.y));
      expect(numbers(result.w)).toEqual(numbers(result.y));
      expect(numbers(result.captured)).toEqual([5, 6]);
      expect(numbers(result.six)).toEqual([6, 7]);
    }
    const arrays = [x, captured, ...Object.values(first), ...Object.values(second)].map((t) => t.dataSync());
    expect(new Set(arrays).size).toBe(arrays.length);
    expect(new Set(arrays.map((array) => array.buffer)).size).toBe(arrays.length);
    tf.dispose([...Object.values(first)]);
    expect(x.isDisposed || captured.isDisposed).toBe(false);
  });

  it('takes the values that captured tensors have when it is traced', async () => {
    const captured = random([30]);
    const program = runtime.compile((x: Tensor) => tf.add(x, captured));
    const expected = numbers(captured);
    await program.prepare(tf.zeros([30]));
    captured.dispose();
    expect(numbers(await program(tf.zeros([30])))).toEqual(expected);
  });

  it('is traced anew for trees that differ in anything but the order of names', async () => {
    let traces = 0;
    const program = runtime.compile((p: { a: Tensor; b?: Tensor | { c?: Tensor }; 'a/b'?: Tensor; more?: readonly Tensor[] }) => {
      traces++;
      const b = p.b === undefined ? tf.scalar(0) : 'shape' in p.b ? (p.b as Tensor) : (p.b.c ?? tf.scalar(100));
      return tf.add(tf.add(tf.mul(p.a, 10), b), p.more ? 1000 : 0);
    });
    const [one, two] = [tf.scalar(1), tf.scalar(2)];
    const value = async (p: Parameters<typeof program>[0]) => numbers(await program(p))[0];
    expect(await value({ a: one, b: two })).toBe(12);
    expect(await value({ b: two, a: one })).toBe(12);
    expect(traces).toBe(1);
    expect(await value({ a: one, b: { c: two } })).toBe(12);
    expect(await value({ a: one, b: {} })).toBe(110);
    expect(await value({ a: one })).toBe(10);
    expect(await value({ a: one, more: [] })).toBe(1010);
    expect(traces).toBe(5);
  });

  it('handles int32 and bool exactly', async () => {
    const two = tf.scalar(2, 'int32');
    const program = runtime.compile((x: Tensor) => ({ odd: tf.equal(tf.mod(x, two), tf.scalar(1, 'int32')), twice: tf.mul(x, two) }));
    const { odd, twice } = await program(tf.tensor([16777217, 2, 3], [3], 'int32'));
    expect([odd.dtype, twice.dtype]).toEqual(['bool', 'int32']);
    expect(numbers(odd)).toEqual([1, 0, 1]);
    expect(numbers(twice)).toEqual([33554434, 4, 6]);
  });

  it('leaks no tensor over a hundred calls, nor when it fails', async () => {
    const x = random([40]);
    const captured = random([40]);
    const program = runtime.compile((a: Tensor, k: Key) => ({
      y: tf.sum(tf.mul(tf.add(a, captured), normal(k, [40]))),
      kept: tf.keep(tf.exp(a)),
    }));
    const failing = runtime.compile((a: Tensor) => {
      tf.keep(tf.exp(a));
      return tf.grad((b: Tensor) => tf.sum(tf.unique(tf.square(b)).values))(a);
    });
    const before = tf.memory().numTensors;
    for (let i = 0; i < 100; i++) {
      tf.dispose(await program(x, key(i)));
      if (i % 20 === 0) await expect(failing(x)).rejects.toThrow(MissingKernelError);
      expect(tf.memory().numTensors).toBe(before);
    }
    const buffers = tf.memory().numDataBuffers;
    tf.dispose(await program(x, key(1)));
    expect(tf.memory().numDataBuffers).toBe(buffers);
  });
});

describe('mistakes are named', () => {
  const rejection = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.unreachable(),
      (error: unknown) => error as Error,
    );

  it('a function that returns a promise', async () => {
    async function later(x: Tensor) {
      return x;
    }
    const error = await rejection(runtime.compile(later as unknown as (x: Tensor) => Tensor)(tf.scalar(1)));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("'later' returned a promise");
  });

  it('reading a value while tracing', async () => {
    function reads(x: Tensor) {
      return tf.exp(x).dataSync()[0]! > 0 ? x : tf.neg(x);
    }
    const error = await rejection(runtime.compile(reads)(tf.scalar(1)));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/'reads' read the value of a tensor while it was traced/);
  });

  it('a kernel that cannot be traced, with the function that uses it, before anything runs', async () => {
    function unusual(x: Tensor) {
      return tf.unique(tf.reshape(x, [1])).values;
    }
    const error = await rejection(runtime.compile(unusual).prepare(tf.scalar(1)));
    expect(error).toBeInstanceOf(MissingKernelError);
    expect(error).toMatchObject({ kernel: 'Unique', target: 'js' });
    expect(error.message).toContain("'unusual'");
  });

  it('a captured tensor that its backend cannot read synchronously', async () => {
    class AsynchronousBackend extends tf.KernelBackend {
      override write() {
        return {};
      }
      override readSync(): never {
        throw new Error('only data() works here');
      }
      override numDataIds() {
        return 0;
      }
    }
    tf.registerBackend('asynchronous', () => new AsynchronousBackend(), -5);
    await tf.setBackend('asynchronous');
    const captured = tf.tensor([1, 2]);
    await tf.setBackend('cpu');
    const error = await rejection(runtime.compile((x: Tensor) => tf.add(x, captured))(tf.tensor([1, 2])));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/cannot read synchronously \(pass it as an argument\)/);
  });

  it('a result that is no tensor', async () => {
    const error = await rejection(runtime.compile((() => ({ loss: 3 })) as unknown as () => Tensor)());
    expect(error.message).toMatch(/\.loss is number 3, expected a tensor/);
  });

  it('a disposed argument, program or runtime', async () => {
    const x = tf.scalar(1);
    x.dispose();
    const own = jsRuntime();
    const program = own.compile((a: Tensor) => a);
    expect((await rejection(program(x))).message).toContain('argument 0');
    await own.dispose();
    expect((await rejection(program(tf.scalar(1)))).message).toContain('disposed');
    expect(() => own.compile((a: Tensor) => a)).toThrow(ConfigError);
  });

  it('a failed compilation is tried again at the next call', async () => {
    let captured = tf.scalar(1);
    captured.dispose();
    const program = runtime.compile((x: Tensor) => tf.add(x, captured));
    await rejection(program(tf.scalar(1)));
    captured = tf.scalar(2);
    expect(numbers(await program(tf.scalar(1)))).toEqual([3]);
  });
});

describe('keys', () => {
  const draws = (k: Key, x: Tensor) => {
    const [a, b] = split(k, 2);
    return {
      n: normal(a, [3, 5]),
      u: uniform(b, [7]),
      deep: normal(foldIn(foldIn(a, 3), 2 ** 40), [40]),
      same: tf.sub(normal(a, [3, 5]), normal(a, [3, 5])),
      x,
    };
  };

  it('draw the same bits in a program as eagerly, and others at another key', async () => {
    const program = runtime.compile(draws);
    for (const seed of [1, 2]) {
      const found = await program(key(seed), tf.scalar(1));
      const expected = draws(key(seed), tf.scalar(1));
      for (const name of ['n', 'u', 'deep', 'same'] as const) expect(numbers(found[name])).toEqual(numbers(expected[name]));
    }
    expect(numbers((await program(key(1), tf.scalar(1))).n)).not.toEqual(numbers((await program(key(2), tf.scalar(1))).n));
  });

  it('that are captured instead of passed are refused, eagerly allowed, and usable again after the trace', async () => {
    const captured = key(3);
    const bad = {
      draws: () => normal(captured, [2]),
      'folds first': () => uniform(foldIn(captured, 1), [2]),
      'makes its own': () => normal(key(0), [2]),
      'draws on the host': () => tf.tensor(hostNormal(captured, 2)),
      'initialises a network': () => Object.values(mlp({ inputShape: [2], outputs: 1, hidden: [] }).init(captured))[0]!.kernel,
      'chooses by a random number': () => tf.scalar(hostInteger(captured, 10)),
    };
    for (const [name, fn] of Object.entries(bad)) {
      expect(fn().size, name).toBeGreaterThan(0);
      const error = await runtime
        .compile(fn)()
        .catch((e: unknown) => e);
      expect(error, name).toBeInstanceOf(ConfigError);
      expect((error as Error).message, name).toMatch(new RegExp(`'${fn.name}' draws from a key .*pass the key as an argument`));
    }
    expect(numbers(normal(captured, [2]))).toEqual(numbers(await runtime.compile((k: Key) => normal(k, [2]))(captured)));
  });

  it('of two arguments are told apart', async () => {
    const program = runtime.compile((a: Key, b: Key) => tf.stack([normal(a, [4]), normal(b, [4])]));
    expect(numbers(await program(key(1), key(2)))).toEqual([...numbers(normal(key(1), [4])), ...numbers(normal(key(2), [4]))]);
  });
});

describe('a target', () => {
  /** Finishes calls late and out of order unless the runtime queues them. */
  const slow = (log: string[]): Target => {
    const js = jsTarget();
    return {
      ...js,
      name: 'slow',
      async lower(graph) {
        const executable = await js.lower(graph);
        return {
          async run(inputs) {
            log.push(`start ${inputs[0]![0]}`);
            await new Promise((resolve) => setTimeout(resolve, 10 - inputs[0]![0]!));
            log.push(`end ${inputs[0]![0]}`);
            return executable.run(inputs);
          },
          async dispose() {
            log.push('disposed');
          },
        };
      },
    };
  };

  it('sees overlapping calls one after the other, and is released after the last', async () => {
    const log: string[] = [];
    const own = compiledRuntime({ target: slow(log) });
    const program = own.compile((x: Tensor) => tf.mul(x, 2));
    const calls = [1, 5, 9].map((v) => program(tf.scalar(v)));
    await calls[0];
    const disposed = own.dispose();
    expect((await Promise.all(calls)).map((x) => numbers(x)[0])).toEqual([2, 10, 18]);
    await disposed;
    expect(log).toEqual(['start 1', 'end 1', 'start 5', 'end 5', 'start 9', 'end 9', 'disposed']);
  });

  it('without runSync gives a density that answers later', async () => {
    const density = await compiledRuntime({ target: slow([]) }).density((p: { x: Tensor }) => tf.sum(tf.square(p.x)) as tf.Scalar, {
      x: [1, 2],
    });
    const gradient = new Float64Array(2);
    const value = density.evaluate(Float64Array.of(3, 4), gradient);
    expect(value).toBeInstanceOf(Promise);
    expect(await value).toBe(25);
    expect([...gradient]).toEqual([6, 8]);
  });
});
