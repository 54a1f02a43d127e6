import { jsRuntime, trace } from '@bpc/compiler';
import { type Key, key, normal } from '@bpc/core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { printTraced } from '../src/trace/print-traced.js';
import './helpers.js';

describe('a program as text', () => {
  it('names inputs and outputs by their paths, writes scalars in place, and says where noise comes from', async () => {
    const runtime = jsRuntime();
    function step({ w, b }: { w: Tensor; b: Tensor }, x: Tensor, k: Key) {
      const y = tf.tanh(tf.add(tf.matMul(x, w, false, true), b));
      return { y, noisy: tf.add(tf.mul(y, 0.25), normal(k, [2, 3])) };
    }
    const program = runtime.compile(step);
    expect(String(program)).toBe('step: not compiled yet; call it, or prepare(…)');
    await program.prepare({ w: tf.ones([3, 4]), b: tf.ones([3]) }, tf.ones([2, 4]), key(1));
    expect(String(program)).toBe(`// normal3: drawn at each call from the key $2
step($0.b float32[3], $0.w float32[3,4], $1 float32[2,4], normal3 float32[2,3]) {
  %1 = MatMul($1, $0.wᵀ)  float32[2,3]
  %2 = Add($0.b, %1)      float32[2,3]
  %3 = Tanh(%2)           float32[2,3]  used 2×
  %4 = Mul(%3, 0.25)      float32[2,3]
  %5 = Add(%4, normal3)   float32[2,3]
  return noisy: %5, y: %3
}`);
    await program.dispose();
    await runtime.dispose();
  });

  it('has one graph per combination of shapes, none after dispose', async () => {
    const runtime = jsRuntime();
    const program = runtime.compile(function half(x: Tensor) {
      return tf.mul(x, 0.5);
    });
    await program(tf.ones([2]));
    await program(tf.ones([3]));
    expect(String(program).match(/half\(/g)).toHaveLength(2);
    await program.dispose();
    expect(String(program)).toMatch(/not compiled/);
    await runtime.dispose();
  });

  it('shortens constants and geometries to what a person reads', () => {
    const kernel = tf.tensor4d(
      Float32Array.from({ length: 18 }, (_, i) => i),
      [3, 3, 1, 2],
    );
    const traced = trace(
      function filter(x: Tensor) {
        const y = tf.conv2d(x as Tensor4D, kernel, 2, 'same');
        return tf.sum(
          tf.slice(
            tf.pad(
              y,
              [
                [0, 0],
                [1, 0],
                [0, 0],
                [0, 0],
              ],
              3,
            ),
            [0, 0, 1, 0],
            [1, 2, 1, 2],
          ),
          [1, 2],
        );
      },
      [tf.ones([1, 4, 4, 1])],
    );
    expect(printTraced(traced)).toBe(`filter($0 float32[1,4,4,1]) {
  %1 = Const(0 1 2 3 4 5 6 7 … 18 in all)              float32[3,3,1,2]
  %2 = Conv($0, %1; 3×3, stride 2×2, padding 0 0 1 1)  float32[1,2,2,2]
  %3 = Pad(%2; 0|0 1|0 0|0 0|0 with 3)                 float32[1,3,2,2]
  %4 = Slice(%3; 0+1 0+2 1+1 0+2)                      float32[1,2,1,2]
  %5 = Sum(%4; axes 1)                                 float32[1,1,1,2]
  %6 = Reshape(%5)                                     float32[1,2]
  return %6
}`);
  });
});
