import '@tensorflow/tfjs-backend-cpu';
import { arrayPoints, labelledPoints, randomSubset, toCoreset } from '@bpc/baselines';
import { ConfigError, disposeTree, fromPoints, key, ShapeError } from '@bpc/core';
import { memory, setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

const labels = [0, 1, 0, 1];
const normalisation = { scale: 10, mean: [0.5], std: [2] };
const images = { images: Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70), labels, shape: [2, 1], classes: 2, normalisation };

beforeAll(async () => {
  await setBackend('cpu');
});

describe('toCoreset', () => {
  it('has normalised images, one-hot labels and weights of the chosen points, in their order', async () => {
    const { numTensors } = memory();
    const chosen = await toCoreset(labelledPoints(images), { indices: Int32Array.of(3, 0), weights: Float64Array.of(1.5, 0) });
    expect(chosen.x.shape).toEqual([2, 2, 1]);
    [2.75, 3.25, -0.25, 0.25].forEach((value, i) => expect(chosen.x.dataSync()[i]).toBeCloseTo(value, 6));
    expect(Array.from(chosen.y.dataSync())).toEqual([0, 1, 1, 0]);
    expect(Array.from(chosen.weights.dataSync())).toEqual([1.5, 0]);
    disposeTree(chosen);
    expect(memory().numTensors).toBe(numTensors);
  });

  it('takes arrays of any rank, with targets of regressions', async () => {
    const x = { data: Float32Array.from({ length: 24 }, (_, i) => i), shape: [4, 3, 2] };
    const y = { data: Float64Array.of(0.5, 1.5, 2.5, 3.5), shape: [4, 1] };
    const subset = randomSubset({ count: 4, points: 2, key: key(4), weighting: 'data' });
    const chosen = await toCoreset(arrayPoints({ x, y }), subset);
    expect(Array.from(chosen.y.dataSync())).toEqual(Array.from(subset.indices, (n) => n + 0.5));
    expect(Array.from(chosen.x.dataSync().slice(0, 6))).toEqual(Array.from({ length: 6 }, (_, j) => subset.indices[0]! * 6 + j));
    expect(Array.from(chosen.weights.dataSync())).toEqual([2, 2]);
    disposeTree(chosen);
  });

  it('refuses weights, places and shapes that cannot be', async () => {
    const points = labelledPoints(images);
    const one = (index: number, weight: number) => toCoreset(points, { indices: Int32Array.of(index), weights: Float64Array.of(weight) });
    await expect(one(0, -1)).rejects.toThrow(/weights\[0\] is -1.*non-negative/);
    await expect(one(0, Number.NaN)).rejects.toThrow(ConfigError);
    await expect(one(4, 1)).rejects.toThrow(/indices\[0\] is 4, expected an integer in \[0, 4\)/);
    await expect(toCoreset(points, { indices: new Int32Array(0), weights: new Float64Array(0) })).rejects.toThrow(/no points/);
    await expect(toCoreset(points, { indices: Int32Array.of(1), weights: new Float64Array(2) })).rejects.toThrow(ShapeError);
    expect(() => arrayPoints({ x: { data: new Float32Array(4), shape: [2, 2] }, y: { data: new Float32Array(3), shape: [3, 1] } })).toThrow(
      ShapeError,
    );
    expect(() => fromPoints({ data: images, indices: [0.5] })).toThrow(/indices\[0\] is 0.5/);
    expect(() => fromPoints({ data: images, indices: [0], weights: [-2] })).toThrow(/weights\[0\] is -2/);
    expect(() => fromPoints({ data: images, indices: [0, 1], weights: [1] })).toThrow(ShapeError);
    expect(() => fromPoints({ data: { ...images, labels: [0, 1, 2, 1] }, indices: [0] })).toThrow(/labels\[2\] is 2/);
  });
});
