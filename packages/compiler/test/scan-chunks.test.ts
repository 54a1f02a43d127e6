import { compiledRuntime, jsTarget, type Target } from '@bpc/compiler';
import { foldIn, type Key, key, normal, scan } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { random } from './helpers.js';
import { compiled, numbers } from './scan-helpers.js';

describe('chunks of iterations', () => {
  const program = (x: Tensor, k: Key, rows: Tensor) => {
    const scale = tf.exp(tf.mean(rows));
    const [end, ys] = scan(
      (s: { u: Tensor; n: Tensor }, { key: own, x: row, index }: { key: Key; x: Tensor; index: Tensor }) => {
        const u = tf.add(tf.mul(s.u, 0.9), tf.mul(scale, tf.add(normal(own, [3]), tf.mul(row, index))));
        return [
          { u, n: tf.add(s.n, tf.scalar(1, 'int32')) },
          { u, n: s.n, noise: normal(own, [3]) },
        ] as const;
      },
      { u: tf.mul(x, scale), n: tf.scalar(0, 'int32') as Tensor },
      rows,
      { key: k },
    );
    return { end, ys, after: tf.mul(tf.sum(end.u), scale), rows, scale };
  };
  const args = [random([3]), key(3), random([14, 3], 6)] as const;

  it.each([12, 24, 60, 84, 1e6])('of %i bytes of noise give the same bits', async (noiseBytes) => {
    const lowered: string[] = [];
    const inner = jsTarget();
    const target: Target = {
      ...inner,
      lower: (graph) => {
        lowered.push(graph.name);
        return inner.lower(graph);
      },
    };
    const whole = await compiled(program as never, args);
    const found = await compiled(program as never, args, { target, noiseBytes });
    found.forEach(([path, x], i) => expect(numbers(x), path).toEqual(numbers(whole[i]![1])));
    // Before, loop (a second length where the first does not divide 14), after.
    expect(lowered).toHaveLength({ 12: 3, 24: 3, 60: 4, 84: 3, 1000000: 1 }[noiseBytes] ?? 0);
  });

  it('give the same bits for loops one after the other, with loops inside, and for noise that is used elsewhere too', async () => {
    const twice = (x: Tensor, k: Key) => {
      const loop = (from: Tensor, own: Key) =>
        scan(
          (s: Tensor, { key: outer }: { key: Key }) => {
            const inner = { length: 3, key: foldIn(outer, 1) };
            const [sum, draws] = scan(
              (t: Tensor, { key: deep }: { key: Key }) => [tf.add(t, normal(deep, [2])), normal(deep, [2])] as const,
              s,
              undefined,
              inner,
            );
            return [tf.mul(tf.add(sum, normal(outer, [2])), 0.5), draws] as const;
          },
          from,
          undefined,
          { length: 5, key: own },
        );
      const [middle, first] = loop(tf.exp(x), k);
      const [end, second] = loop(tf.sub(middle, tf.mean(first)), foldIn(k, 9));
      const [, again] = loop(end, k);
      return { middle, end, first, second, again };
    };
    const whole = await compiled(twice as never, [tf.ones([2]), key(6)]);
    for (const noiseBytes of [1, 70, 100]) {
      const found = await compiled(twice as never, [tf.ones([2]), key(6)], { noiseBytes });
      found.forEach(([path, x], i) => expect(numbers(x), path).toEqual(numbers(whole[i]![1])));
    }
    expect(numbers(whole[0]![1])).toEqual(numbers(whole.find(([path]) => path === 'first')![1]));
  });

  it('bound the noise that is drawn at once, however many iterations there are', async () => {
    const { result, most } = await (async () => {
      const inner = jsTarget();
      let most = 0;
      const target: Target = {
        ...inner,
        lower: async (graph) => {
          const executable = await inner.lower(graph);
          for (const node of graph.inputs) most = Math.max(most, 4 * node.shape.reduce((a, b) => a * b, 1));
          return executable;
        },
      };
      const walk = (k: Key) =>
        scan((s: Tensor, { key: own }: { key: Key }) => [tf.add(s, normal(own, [10]))], tf.zeros([10]), undefined, {
          length: 1000,
          key: k,
        })[0];
      return { result: await compiled(walk, [key(1)], { target, noiseBytes: 400 }), most };
    })();
    expect(most).toBe(400);
    const [x] = result[0]![1].dataSync();
    expect(Number.isFinite(x)).toBe(true);
  });
});

describe('resources', () => {
  it('stay flat over calls of a program with a scan, and the step is never traced again for known shapes', async () => {
    let traces = 0;
    const runtime = compiledRuntime({ target: jsTarget(), noiseBytes: 40 });
    const program = runtime.compile((x: Tensor, k: Key) => {
      traces++;
      return scan((s: Tensor, { key: own }: { key: Key }) => [tf.add(s, normal(own, [2]))], x, undefined, { length: 10, key: k })[0];
    });
    const [two, six] = [tf.ones([2]), tf.ones([6, 2])];
    (await program(two, key(0))).dispose();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) tf.dispose(await program(two, key(i)));
    expect(tf.memory().numTensors).toBe(before);
    expect(traces).toBe(1);
    tf.dispose(await program(six, key(0)));
    tf.dispose(await program(two, key(0)));
    expect(traces).toBe(2);
    await runtime.dispose();
  });
});
