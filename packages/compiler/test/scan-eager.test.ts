import { trace } from '@bpc/compiler';
import { ConfigError, disposeTree, foldIn, type Key, key, normal, ShapeError, scan } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { numbers } from './scan-helpers.js';

type Walk = { readonly w: Tensor; readonly count: Tensor };

describe('scan, eagerly', () => {
  it('carries a state over rows, with their numbers, and stacks results', () => {
    const step = ({ w, count }: Walk, { x, index }: { x: Tensor; index: Tensor }) =>
      [
        { w: tf.add(tf.mul(w, 2), x), count: tf.add(count, tf.scalar(1, 'int32')) },
        { w, index },
      ] as const;
    const [last, ys] = scan(
      step,
      { w: tf.tensor1d([1, 0]), count: tf.scalar(0, 'int32') },
      tf.tensor2d([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    );
    expect([numbers(last.w), numbers(last.count)]).toEqual([[8 + 4 + 6 + 5, 8 + 8 + 6], [3]]);
    expect([ys.w.shape, numbers(ys.w)]).toEqual([
      [3, 2],
      [1, 0, 3, 2, 9, 8],
    ]);
    expect([ys.index.dtype, numbers(ys.index)]).toEqual(['int32', [0, 1, 2]]);
  });

  it('draws of iteration i what the key folded with i draws', () => {
    const [, ys] = scan((s: Tensor, { key: k }: { key: Key }) => [s, normal(k, [3])] as const, tf.scalar(0), undefined, {
      length: 4,
      key: key(5),
    });
    expect(numbers(ys)).toEqual([0, 1, 2, 3].flatMap((i) => numbers(normal(foldIn(key(5), i), [3]))));
  });

  it('leaves its arguments alone, owns no tensor afterwards, and gives results with lives of their own', () => {
    const [state, xs] = [{ a: tf.ones([2]), b: tf.scalar(3) }, tf.ones([4, 2])];
    const before = tf.memory().numTensors;
    const [last, ys] = scan(
      ({ a, b }: typeof state, { x }: { x: Tensor }) => [{ a: tf.add(a, x) as tf.Tensor1D, b }, b] as const,
      state,
      xs,
    );
    expect(tf.memory().numTensors).toBe(before + 3);
    disposeTree([last, ys]);
    expect([state.a.isDisposed, state.b.isDisposed, xs.isDisposed]).toEqual([false, false, false]);
    expect(tf.memory().numTensors).toBe(before);
    expect(() =>
      scan(
        () => {
          tf.ones([3]);
          throw new TypeError('mine');
        },
        state,
        xs,
      ),
    ).toThrow(TypeError);
    expect(tf.memory().numTensors).toBe(before);
    disposeTree([state, xs]);
  });

  it('keeps one step alive at a time', async () => {
    const peak = async (length: number) => {
      const before = tf.memory().numBytes;
      const run = () => scan((s: Tensor) => [tf.sin(tf.mul(s, 2))], tf.ones([1000]), undefined, { length })[0];
      const { peakBytes } = await tf.profile(() => tf.tidy(() => tf.sum(run())));
      return peakBytes - before;
    };
    await peak(1);
    expect(await peak(50)).toBe(await peak(5));
  });
});

describe('mistakes in a scan', () => {
  const one = tf.ones([2]);
  const cases: readonly (readonly [string, () => unknown, abstract new (...args: never[]) => Error, RegExp])[] = [
    [
      'a state that changes its shape',
      () =>
        scan((s: { a: { b: Tensor } }) => [{ a: { b: tf.concat([s.a.b, s.a.b]) } }], { a: { b: one as Tensor } }, undefined, { length: 2 }),
      ShapeError,
      /next state .* 'a\/b'.*float32\[2\]/,
    ],
    [
      'a state that changes its dtype',
      () => scan((s: Tensor) => [tf.add(s, 0.5)], tf.scalar(1, 'int32') as Tensor, undefined, { length: 2 }),
      ShapeError,
      /int32\[\]/,
    ],
    ['no length', () => scan((s: Tensor) => [s], one), ConfigError, /neither xs nor a length/],
    [
      'lengths that disagree',
      () => scan((s: Tensor) => [s], one, { p: tf.ones([3]), q: tf.ones([4]) }),
      ShapeError,
      /xs at 'q' has shape \[4\]/,
    ],
    ['a length that is none', () => scan((s: Tensor) => [s], one, undefined, { length: 1.5 }), ConfigError, /length is 1.5/],
    ['a promise', () => scan((async (s: Tensor) => [s]) as never, one, undefined, { length: 2 }), ConfigError, /promise/],
    ['no pair', () => scan(((s: Tensor) => s) as never, one, undefined, { length: 2 }), ShapeError, /no pair/],
    [
      'a key that was not given',
      () => scan((s: Tensor, { key: k }: { key: Key }) => [tf.add(s, normal(k, [2]))], one, undefined, { length: 2 }),
      ConfigError,
      /asks for a key/,
    ],
  ];

  it.each(cases)('are named: %s', (_, f, type, message) => {
    const before = tf.memory().numTensors;
    expect(f).toThrow(type);
    expect(f).toThrow(message);
    // In a trace too.
    expect(() => trace(() => f() as Tensor, [])).toThrow(message);
    expect(tf.getBackend()).toBe('cpu');
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(4);
  });

  it('are named when the step reads a value, lets a tensor or a key escape, or draws from a captured key', () => {
    let leaked: Tensor | undefined;
    let leakedKey: Key | undefined;
    const program = (f: (k: Key) => Tensor) => () => trace(f, [key(0)]);
    const loop = (step: (s: Tensor, i: { key: Key }) => readonly [Tensor], k: Key) =>
      scan(step, tf.ones([2]) as Tensor, undefined, { length: 3, key: k })[0];
    expect(program((k) => loop((s) => [tf.mul(s, s.dataSync()[0] ?? 0)], k))).toThrow(/read the value/);
    expect(
      program((k) => {
        const end = loop((s) => {
          leaked = tf.sin(s);
          return [s];
        }, k);
        return tf.add(end, leaked as Tensor);
      }),
    ).toThrow(/\[2\] that is disposed.*return it/);
    expect(
      program((k) => {
        const end = loop((s) => {
          leaked = tf.keep(tf.sin(s));
          return [s];
        }, k);
        return tf.add(end, leaked as Tensor);
      }),
    ).toThrow(/outside of the scan/);
    expect(
      program((k) => {
        loop((s, i) => {
          leakedKey = i.key;
          return [s];
        }, k);
        return normal(leakedKey as Key, [2]);
      }),
    ).toThrow(/key of a scan iteration/);
    const captured = key(4);
    expect(program(() => loop((s, i) => [tf.add(s, normal(i.key, [2]))], captured))).toThrow(/pass the key as an argument/);
  });
});
