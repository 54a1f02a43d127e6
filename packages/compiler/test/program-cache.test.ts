import { compiledRuntime, jsTarget, type Target } from '@bpc/compiler';
import { ConfigError } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import './helpers.js';

/** The js target, counting what it lowered and what was freed. */
function counting() {
  const inner = jsTarget();
  const counts = { lowered: 0, freed: 0 };
  const target: Target = {
    ...inner,
    async lower(graph) {
      counts.lowered++;
      const executable = await inner.lower(graph);
      return {
        ...executable,
        dispose: async () => {
          counts.freed++;
          await executable.dispose();
        },
      };
    },
  };
  return { target, counts };
}

describe('the cache of a program', () => {
  it('traces once per combination of shapes, dtypes and structure, and never again', async () => {
    let traces = 0;
    const { target, counts } = counting();
    const runtime = compiledRuntime({ target });
    const program = runtime.compile((x: { a: Tensor } | Tensor) => {
      traces++;
      return 'a' in x ? tf.exp(x.a) : tf.add(x, 1);
    });
    const arguments_ = [tf.ones([2]), tf.ones([3]), tf.ones([2], 'int32'), tf.ones([2, 1]), { a: tf.ones([2]) as Tensor }];
    for (let round = 0; round < 4; round++) for (const x of arguments_) tf.dispose(await program(x));
    expect([traces, counts.lowered]).toEqual([5, 5]);
    await program.prepare(tf.zeros([3]));
    expect(traces).toBe(5);
    await program.dispose();
    expect(counts.freed).toBe(5);
    await runtime.dispose();
  });

  it('keeps the combinations used last, frees the others, and warns once with the function and the number', async () => {
    let traces = 0;
    const warnings: string[] = [];
    const { target, counts } = counting();
    const runtime = compiledRuntime({ target, signatures: 2, onWarning: (message) => warnings.push(message) });
    const program = runtime.compile(function squares(x: Tensor) {
      traces++;
      return tf.square(x);
    });
    const call = async (size: number) => tf.dispose(await program(tf.ones([size])));
    await call(1);
    await call(2);
    expect(warnings).toEqual([]);
    await call(1);
    await call(3);
    // 2 was used longest ago.
    await call(1);
    expect([traces, counts.freed]).toEqual([3, 1]);
    await call(2);
    expect([traces, counts.freed]).toEqual([4, 2]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/'squares'.*more than 2 combinations of shapes/);
    await runtime.dispose();
    expect(counts.freed).toBe(counts.lowered);
  });

  it('holds 32 combinations by default, and answers overlapping calls of any number of them', async () => {
    const warnings: string[] = [];
    const { target, counts } = counting();
    const runtime = compiledRuntime({ target, onWarning: (message) => warnings.push(message) });
    const program = runtime.compile((x: Tensor) => tf.sum(x));
    const sums = await Promise.all(Array.from({ length: 40 }, (_, i) => program(tf.ones([i + 1]))));
    expect(sums.map((sum) => sum.dataSync()[0])).toEqual(sums.map((_, i) => i + 1));
    expect(counts).toEqual({ lowered: 40, freed: 8 });
    expect(warnings).toHaveLength(1);
    await runtime.dispose();
    expect(counts.freed).toBe(40);
  });

  it('refuses limits that are none', () => {
    const target = jsTarget();
    for (const bad of [{ signatures: 0 }, { signatures: 1.5 }, { noiseBytes: 0 }, { noiseBytes: Number.NaN }]) {
      expect(() => compiledRuntime({ target, ...bad })).toThrow(ConfigError);
    }
  });
});
