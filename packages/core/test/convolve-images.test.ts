import './support/backend.js';
import { convolveImages, hostNormal, key, valueAndGrad } from '@bpc/core';
import { relativeDeviation } from '@bpc/core/testing';
import { square, sum, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

const [N, H, W, C, K] = [2, 6, 5, 3, 4] as const;
type Visit = (x: number, filter: number, y: number) => void;

/** Visits every pair of a pixel and a tap that meet, as indices into x, the filter and y. */
function eachTap(kh: number, kw: number, stride: number, padding: number, visit: Visit): number {
  const length = (size: number, kernel: number) => Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const [oh, ow] = [length(H, kh), length(W, kw)];
  for (let n = 0; n < N; n++)
    for (let y = 0; y < oh; y++)
      for (let x = 0; x < ow; x++)
        for (let i = 0; i < kh; i++)
          for (let j = 0; j < kw; j++) {
            const [row, column] = [y * stride - padding + i, x * stride - padding + j];
            if (row < 0 || row >= H || column < 0 || column >= W) continue;
            for (let c = 0; c < C; c++)
              for (let k = 0; k < K; k++)
                visit(((n * H + row) * W + column) * C + c, ((i * kw + j) * C + c) * K + k, ((n * oh + y) * ow + x) * K + k);
          }
  return N * oh * ow * K;
}

describe('a padded convolution agrees with its definition, and so do its gradients', () => {
  it.each([
    [3, 3, 1, 1],
    [3, 3, 1, 3],
    [3, 3, 2, 1],
    [3, 2, 1, 1],
    [1, 1, 2, 0],
    [5, 5, 1, 2],
    [2, 3, 2, 2],
  ])('filter %ix%i, stride %i, padding %i', (kh, kw, stride, padding) => {
    const [x, filter] = [hostNormal(key(1), N * H * W * C), hostNormal(key(2), kh * kw * C * K)];
    const size = eachTap(kh, kw, stride, padding, () => {});
    const y = new Float64Array(size);
    eachTap(kh, kw, stride, padding, (a, b, o) => (y[o]! += x[a]! * filter[b]!));
    // Of the sum of squares, whose derivative in y is 2 y.
    const [dx, dfilter] = [new Float64Array(x.length), new Float64Array(filter.length)];
    eachTap(kh, kw, stride, padding, (a, b, o) => {
      dx[a]! += 2 * y[o]! * filter[b]!;
      dfilter[b]! += 2 * y[o]! * x[a]!;
    });
    const inputs = { x: tensor(x, [N, H, W, C]), filter: tensor(filter, [kh, kw, C, K]) };
    const found = convolveImages(inputs.x, inputs.filter, stride, padding);
    expect(relativeDeviation(found.dataSync(), y)).toBeLessThan(1e-5);
    const loss = (p: { x: Tensor; filter: Tensor }) => sum(square(convolveImages(p.x, p.filter, stride, padding)));
    const { grad } = valueAndGrad(loss)(inputs);
    expect(relativeDeviation(grad.x.dataSync(), dx)).toBeLessThan(1e-5);
    expect(relativeDeviation(grad.filter.dataSync(), dfilter)).toBeLessThan(1e-5);
  });
});
