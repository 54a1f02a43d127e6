import { printGraph, topologicalOrder, trace } from '@bpc/compiler';
import { ConfigError, type Key, key, normal, valueAndGrad } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import './helpers.js';

describe('trace', () => {
  it('prints a graph one value per line, operands first, common subexpressions once, dead code never', () => {
    function twice(x: Tensor, y: Tensor) {
      tf.sin(y);
      return tf.add(tf.exp(x), tf.mul(tf.exp(x), y));
    }
    const { graph } = trace(twice, [tf.tensor([1, 2, 3]), tf.tensor([[1], [2]])]);
    expect(printGraph(graph)).toBe(`twice(in0 float32[3], in1 float32[2,1]) {
  %1 = Exp(in0)      float32[3]  used 2×
  %2 = Mul(in1, %1)  float32[2,3]
  %3 = Add(%1, %2)   float32[2,3]
  return %3
}`);
  });

  it('traces gradients with the function, without the values it does not need', () => {
    const { graph } = trace((x: Tensor) => valueAndGrad((p: { x: Tensor }) => tf.sum(tf.exp(p.x)))({ x }).grad, [tf.tensor([1, 2, 3])]);
    expect(topologicalOrder(graph.outputs).map((node) => node.op)).toEqual(['Input', 'Exp']);
  });

  it('keeps inputs that nothing needs, and says where each comes from', () => {
    const traced = trace((_: { b: Tensor; a: Tensor }, k: Key) => normal(k, [2, 2]), [{ b: tf.scalar(1), a: tf.scalar(2) }, key(1)]);
    expect(traced.sources).toEqual([
      { kind: 'tensor', argument: 0, leaf: 0, path: 'a', shape: [] },
      { kind: 'tensor', argument: 0, leaf: 1, path: 'b', shape: [] },
      { kind: 'normal', argument: 1, folds: [], shape: [2, 2] },
    ]);
    expect(traced.graph.inputs.map((node) => node.attributes.index)).toEqual([0, 1, 2]);
  });

  it('recovers literals as the shortest decimal of their float32, but no captured data', () => {
    const data = tf.tensor([0.1, 0.2, 0.3]);
    const { graph } = trace((x: Tensor) => tf.add(tf.mul(x, 0.001), data), [tf.tensor([1, 2, 3])]);
    const constants = topologicalOrder(graph.outputs).flatMap((node) => (node.op === 'Const' ? [Array.from(node.attributes.values)] : []));
    expect(constants).toEqual([[0.001], [...Float32Array.of(0.1, 0.2, 0.3)]]);
  });

  it('restores the backend when the function throws, and refuses a trace inside a trace', () => {
    expect(() =>
      trace(() => {
        throw new TypeError('mine');
      }, []),
    ).toThrow(TypeError);
    expect(tf.getBackend()).toBe('cpu');
    expect(() =>
      trace(() => {
        trace((x: Tensor) => x, [tf.scalar(1)]);
        return tf.scalar(1);
      }, []),
    ).toThrow(ConfigError);
    expect(tf.getBackend()).toBe('cpu');
    expect(tf.add(1, 2).dataSync()[0]).toBe(3);
  });

  it('never offers its backend as the default', () => {
    const best = tf
      .engine()
      .backendNames()
      .filter((name) => name.startsWith('bpc-trace'));
    expect(best).toHaveLength(1);
    tf.removeBackend('cpu');
    expect(tf.engine().backend).toBeDefined();
    expect(tf.getBackend()).not.toContain('trace');
  });
});
