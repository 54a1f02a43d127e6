import { jsRuntime, type Window } from '@bpc/compiler';
import type { Scalar, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { graphBuilder, windowed } from '../src/ir/index.js';
import { compileToJs } from '../src/targets/js/target.js';
import { random, values } from './helpers.js';

describe('gradients of padded windows agree with central differences in float64', () => {
  it.each<[string, (x: Tensor4D) => Tensor]>([
    ['average pooling, same', (x) => tf.avgPool(x, 3, 2, 'same')],
    ['maximum pooling, same', (x) => tf.maxPool(x, 3, 2, 'same')],
    ['convolution, stride 2, same', (x) => tf.conv2d(x, random([3, 3, 2, 3], 5) as Tensor4D, 2, 'same')],
  ])('%s', async (_, f) => {
    const shape = [2, 5, 6, 2];
    const density = await jsRuntime().density(
      ({ x }: { x: Tensor }) => {
        const y = f(x as Tensor4D);
        return tf.sum(tf.mul(y, tf.tensor(values(y.size, 3), y.shape))) as Scalar;
      },
      { x: { data: new Float64Array(120), shape } },
    );
    const x = Float64Array.from(values(120, 7));
    const [gradient, unused] = [new Float64Array(120), new Float64Array(120)];
    density.evaluate(x, gradient);
    for (let i = 0; i < x.length; i++) {
      const at = (step: number) =>
        Number(
          density.evaluate(
            x.map((v, k) => (k === i ? v + step : v)),
            unused,
          ),
        );
      expect(gradient[i]).toBeCloseTo((at(1e-6) - at(-1e-6)) / 2e-6, 7);
    }
  });
});

it('MaxPoolGather is the adjoint of MaxPoolGrad', () => {
  const window: Window = { kernel: [3, 2], strides: [2, 1], dilations: [1, 1], padding: [1, 0, 1, 1] };
  const [input, output] = [
    [2, 5, 6, 3],
    [2, 3, 6, 3],
  ];
  const g = graphBuilder();
  const [x, v, dy] = [g.input(input, 'float32'), g.input(input, 'float32'), g.input(output, 'float32')];
  const graph = g.finish(
    [windowed(g, 'MaxPoolGrad', [dy, x], window, input), windowed(g, 'MaxPoolGather', [v, x], window, output)],
    'pair',
  );
  const [vs, dys] = [Float64Array.from(values(180, 2)), Float64Array.from(values(108, 3))];
  const [scattered, gathered] = [new Float64Array(180), new Float64Array(108)];
  compileToJs(graph).runSync([Float64Array.from(values(180, 1)), vs, dys], [scattered, gathered]);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, each, i) => sum + each * (b[i] ?? 0), 0);
  expect(dot(scattered, vs)).toBeCloseTo(dot(dys, gathered), 10);
  expect(dot(dys, gathered)).not.toBe(0);
});
