import type { Coreset, LabelledData } from '@bpc/core';
import {
  ConfigError,
  classTargets,
  coreset,
  fromConvexMixes,
  fromNearestMean,
  fromNoise,
  fromRealImages,
  hostNormal,
  key,
  learnable,
  ShapeError,
} from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { setBackend, softmax, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { testBackend } from './support/backend.js';

beforeAll(async () => {
  await setBackend(testBackend);
});

const classes = 3;
const perClass = 7;
const shape = [2, 2, 1];
/** Class c lives around 10·c, so that every point betrays its class; labels are interleaved. */
const labels = Int32Array.from({ length: classes * perClass }, (_, i) => i % classes);
const noise = hostNormal(key(9), labels.length * 4);
const images = Float32Array.from(noise, (value, i) => value + 10 * (labels[Math.floor(i / 4)] ?? 0));
const data: LabelledData = { images, labels, shape, classes };
const rows = (x: Tensor) => Array.from({ length: x.shape[0] ?? 0 }, (_, i) => Array.from(x.dataSync().subarray(4 * i, 4 * i + 4)));
const real = new Map(Array.from(labels, (label, i) => [JSON.stringify(Array.from(images.subarray(4 * i, 4 * i + 4))), { label, i }]));
const classOf = (row: number[]) => Math.abs(Math.round(row.reduce((a, b) => a + b, 0) / 40));

describe.each([
  ['real images', (ipc: number, d = data): Coreset => fromRealImages({ data: d, imagesPerClass: ipc, key: key(1) })],
  ['convex mixes', (ipc: number, d = data): Coreset => fromConvexMixes({ data: d, imagesPerClass: ipc, key: key(1) })],
  ['nearest to the mean', (ipc: number, d = data): Coreset => fromNearestMean({ data: d, imagesPerClass: ipc })],
])('a start from %s', (_, start) => {
  it('has points of each class in class order, one-hot targets and unit weights', () => {
    const { x, y, weights } = start(2);
    expect([x.shape, y.shape, weights.shape]).toEqual([[6, 2, 2, 1], [6, 3], [6]]);
    expect(rows(x).map(classOf)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(Array.from(y.dataSync())).toEqual([1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1]);
    expect(new Set(weights.dataSync())).toEqual(new Set([1]));
  });

  it('is the same for the same key', () => {
    expect(rows(start(3).x)).toEqual(rows(start(3).x));
  });

  it('reads bytes with their normalisation like floats', () => {
    const bytes = Uint8Array.from(images, (value) => Math.max(0, Math.round(5 * value + 30)));
    const normalisation = { scale: 255, mean: [0.2], std: [0.5] };
    const asFloats = Float32Array.from(bytes, (value) => (value / 255 - 0.2) / 0.5);
    const found = start(2, { ...data, images: bytes, normalisation }).x.dataSync();
    start(2, { ...data, images: asFloats })
      .x.dataSync()
      .forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
  });

  it.each([0, -1, 1.5, perClass + 1, Number.NaN])('refuses %s images per class', (ipc) => {
    expect(() => start(ipc)).toThrow(ConfigError);
    expect(() => start(ipc)).toThrow(/imagesPerClass is/);
  });

  it('refuses labels outside the classes, by index', () => {
    for (const bad of [3, -1, 0.5])
      expect(() => start(1, { ...data, labels: Array.from(labels, (label, i) => (i === 4 ? bad : label)) })).toThrow(/labels\[4\] is/);
  });

  it('refuses images that are not finite, naming the point', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const broken = images.slice();
      broken[4 * 11 + 2] = bad;
      expect(() => start(1, { ...data, images: broken })).toThrow(/in point 11/);
    }
  });

  it('refuses a wrong number of values', () => {
    expect(() => start(1, { ...data, images: images.slice(1) })).toThrow(ShapeError);
  });
});

describe('fromRealImages', () => {
  it('draws without replacement, and differently for other keys', () => {
    const drawn = rows(fromRealImages({ data, imagesPerClass: perClass, key: key(4) }).x).map((row) => real.get(JSON.stringify(row))?.i);
    expect(new Set(drawn).size).toBe(labels.length);
    expect(drawn).not.toContain(undefined);
    expect(rows(fromRealImages({ data, imagesPerClass: 2, key: key(1) }).x)).not.toEqual(
      rows(fromRealImages({ data, imagesPerClass: 2, key: key(2) }).x),
    );
  });
});

describe('fromConvexMixes', () => {
  it('puts every point on a segment between two real ones of its class', () => {
    const points = Array.from(real.keys(), (text) => JSON.parse(text) as number[]);
    for (const row of rows(fromConvexMixes({ data, imagesPerClass: 3, key: key(2) }).x)) {
      const members = points.filter((point) => classOf(point) === classOf(row));
      const onSegment = members.some((p) =>
        members.some((q) => {
          // a from the coordinate where the ends differ most, then all coordinates must agree.
          const widest = p
            .map((value, i) => Math.abs(value - (q[i] ?? 0)))
            .reduce((best, gap, i, all) => (gap > (all[best] ?? 0) ? i : best), 0);
          const gap = (p[widest] ?? 0) - (q[widest] ?? 0);
          const a = gap === 0 ? 1 : ((row[widest] ?? 0) - (q[widest] ?? 0)) / gap;
          return a >= 0 && a <= 1 && row.every((value, i) => Math.abs(value - (a * (p[i] ?? 0) + (1 - a) * (q[i] ?? 0))) < 1e-4);
        }),
      );
      expect(onSegment).toBe(true);
    }
  });
});

describe('fromNearestMean', () => {
  it('takes the points with the smallest distance to their class mean, nearest first', () => {
    const line: LabelledData = {
      images: Float32Array.of(0, 100, 9, 101, 4, 105, 5, 90),
      labels: [0, 1, 0, 1, 0, 1, 0, 1],
      shape: [1],
      classes: 2,
    };
    // Class 0: 0, 9, 4, 5 with mean 4.5 (4 and 5 tie: the earlier first); class 1: 100, 101, 105, 90 with mean 99.
    expect(Array.from(fromNearestMean({ data: line, imagesPerClass: 3 }).x.dataSync())).toEqual([4, 5, 0, 100, 101, 105]);
  });

  it('measures distance in normalised units', () => {
    const two: LabelledData = {
      images: Uint8Array.of(10, 10, 16, 11, 10, 14, 0, 0, 0, 0),
      labels: [0, 0, 0, 1, 1],
      shape: [2],
      classes: 2,
      normalisation: { scale: 1, mean: [0, 0], std: [100, 1] },
    };
    // Mean of class 0 is (12, 11⅔): point 0 is nearest in raw units, point 1 once the first axis counts for 1/100.
    expect(Array.from(fromNearestMean({ data: two, imagesPerClass: 1 }).x.dataSync().subarray(0, 2))[0]).toBeCloseTo(0.16, 5);
  });
});

describe('fromNoise', () => {
  it('is normal with the asked standard deviation', () => {
    const { x } = fromNoise({ shape: [20, 20, 1], classes: 2, imagesPerClass: 5, key: key(0), scale: 0.5 });
    const values = Array.from(x.dataSync());
    const deviation = Math.sqrt(values.reduce((a, b) => a + b * b, 0) / values.length);
    expect(Math.abs(deviation - 0.5)).toBeLessThan((5 * 0.5) / Math.sqrt(2 * values.length));
  });

  it('refuses bad counts and scales', () => {
    expect(() => fromNoise({ shape: [1], classes: 2, imagesPerClass: 0, key: key(0) })).toThrow(/imagesPerClass/);
    expect(() => fromNoise({ shape: [1], classes: 2, imagesPerClass: 1, key: key(0), scale: Number.NaN })).toThrow(/scale/);
  });
});

describe('classTargets', () => {
  it('as logits have the smoothed one-hot labels as their softmax', () => {
    const p = Array.from(softmax(classTargets([1], 4, { kind: 'logits', smoothing: 0.2 })).dataSync());
    [0.2 / 3, 0.8, 0.2 / 3, 0.2 / 3].forEach((value, i) => expect(p[i]).toBeCloseTo(value, 6));
  });

  it('can be scaled one-hot rows', () => {
    expect(Array.from(classTargets([0], 3, { kind: 'scaled', scale: 5 }).dataSync())).toEqual([5, 0, 0]);
  });

  it('refuse bad settings', () => {
    expect(() => classTargets([0], 3, { kind: 'logits', smoothing: 0.7 })).toThrow(/smoothing is 0.7/);
    expect(() => classTargets([0], 3, { kind: 'scaled', scale: -1 })).toThrow(/scale/);
    expect(() => classTargets([0], 1)).toThrow(/classes is 1/);
  });
});

describe('coreset', () => {
  const x = tensor2d([[1], [2]]);
  it.each([
    ['y', () => coreset({ x, y: tensor2d([[1, 0]]) })],
    ['y', () => coreset({ x, y: tensor1d([1, 0]) })],
    ['weights', () => coreset({ x, y: x, weights: tensor1d([1]) })],
    ['x', () => coreset({ x: tensor1d([1]), y: x })],
    ['y', () => coreset({ x, y: tensor2d([[1], [0]], [2, 1], 'int32') })],
  ])('refuses a misshapen %s by name', (name, make) => {
    expect(make).toThrow(ShapeError);
    expect(make).toThrow(new RegExp(`^${name} `));
  });

  it('learns x alone by default, and never nothing', () => {
    expect(learnable()).toEqual({ x: true, y: false, weights: false });
    expect(learnable({ weights: true })).toEqual({ x: true, y: false, weights: true });
    expect(() => learnable({ x: false })).toThrow(ConfigError);
  });
});
