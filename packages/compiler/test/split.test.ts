import { trace } from '@bpc/compiler';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { compileToJs } from '../src/targets/js/target.js';
import './helpers.js';

/** A chain of scalar operations too long for one function, with a loop in the middle and values that live across. */
function chain(x: Tensor, data: Tensor): Tensor[] {
  let y = x;
  const kept: Tensor[] = [];
  for (let i = 0; i < 300; i++) {
    y = tf.add(tf.sin(tf.mul(y, 1 + i / 1000)), tf.mul(x, 0.5));
    if (i % 50 === 0) kept.push(y);
    if (i === 150) y = tf.add(y, tf.mul(1e-3, tf.sum(tf.mul(data, tf.sum(y)))));
  }
  return [y, ...kept];
}

it('cuts long programs into functions that V8 optimises, without changing what they compute', () => {
  const x = tf.tensor([0.1, 0.2, 0.3, 0.4]);
  const data = tf.linspace(0, 1, 100);
  const { graph } = trace(chain, [x, data]);
  const { source, runSync } = compileToJs(graph, { printer: 'javascript' });
  const functions = source.split(/function part\d+/).slice(1);
  expect(functions.length).toBeGreaterThan(1);
  for (const body of functions) expect(body.split('\n').length).toBeLessThan(1100);
  const outputs = graph.outputs.map(() => new Float64Array(4));
  const [position, values] = [Float64Array.of(0.1, 0.2, 0.3, 0.4), Float64Array.from({ length: 100 }, (_, i) => i / 99)];
  runSync([position, values], outputs);
  // The same chain in plain JavaScript.
  let y = [...position];
  const kept: number[][] = [];
  for (let i = 0; i < 300; i++) {
    const factor = 1 + i / 1000;
    y = y.map((v, k) => Math.sin(v * factor) + position[k]! * 0.5);
    if (i % 50 === 0) kept.push(y);
    if (i === 150) {
      const total = y.reduce((a, b) => a + b, 0);
      const sum = values.reduce((a, v) => a + v * total, 0);
      y = y.map((v) => v + 1e-3 * sum);
    }
  }
  [y, ...kept].forEach((want, i) => want.forEach((v, k) => expect(outputs[i]![k]).toBeCloseTo(v, 9)));
});
