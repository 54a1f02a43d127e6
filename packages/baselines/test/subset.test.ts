import { forgettingRecorder, forgettingSubset, herding, kCenterGreedy, type RowMatrix, randomSubset, takeFirst } from '@bpc/baselines';
import { ConfigError, hostNormal, hostPermutation, key, ShapeError } from '@bpc/core';
import { describe, expect, it } from 'vitest';

const classes = 3;
const perClass = 40;
const columns = 5;
const count = classes * perClass;
const labels = Int32Array.from({ length: count }, (_, i) => (i * 7) % classes);

/** Normal features around a mean per class. */
function makeFeatures(seed: number): RowMatrix {
  const noise = hostNormal(key(seed), count * columns);
  return { data: Float64Array.from(noise, (z, i) => z + (labels[Math.floor(i / columns)] ?? 0)), shape: [count, columns] };
}

const members = (label: number) => Array.from(labels.keys()).filter((i) => labels[i] === label);
const row = ({ data }: RowMatrix, i: number) => Array.from(data.slice(i * columns, (i + 1) * columns));
const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((x, j) => x - (b[j] ?? 0)));
const mean = (features: RowMatrix, rows: readonly number[]) =>
  Array.from({ length: columns }, (_, j) => rows.reduce((sum, i) => sum + row(features, i)[j]! / rows.length, 0));
/** ‖mean of the class − mean of the chosen ones of the class‖, averaged over classes. */
const discrepancy = (features: RowMatrix, chosen: Int32Array) =>
  [0, 1, 2].reduce((sum, label) => {
    const own = Array.from(chosen).filter((i) => labels[i] === label);
    return sum + distance(mean(features, members(label)), mean(features, own)) / classes;
  }, 0);

/** Herding with the arg-max of the published code: the negative control. */
function reverseHerding(features: RowMatrix, pointsPerClass: number): Int32Array {
  const chosen: number[] = [];
  for (let label = 0; label < classes; label++) {
    const mu = mean(features, members(label));
    const own: number[] = [];
    for (let t = 1; t <= pointsPerClass; t++) {
      const goal = mu.map((m, j) => t * m - own.reduce((sum, i) => sum + row(features, i)[j]!, 0));
      const rest = members(label).filter((i) => !own.includes(i));
      own.push(rest.reduce((best, i) => (distance(goal, row(features, i)) > distance(goal, row(features, best)) ? i : best)));
    }
    chosen.push(...own);
  }
  return Int32Array.from(chosen);
}

const quota = { labels, classes, pointsPerClass: 5 };

describe('herding', () => {
  it('has a smaller mean discrepancy than random points of every draw, and its arg-max version a larger one than all of them', () => {
    const features = makeFeatures(1);
    const random = Array.from({ length: 20 }, (_, seed) =>
      discrepancy(features, randomSubset({ count, ...quota, key: key(seed) }).indices),
    );
    expect(discrepancy(features, herding({ features, ...quota }).indices)).toBeLessThan(Math.min(...random) / 2);
    expect(discrepancy(features, reverseHerding(features, 5))).toBeGreaterThan(Math.max(...random));
  });

  it('reports the discrepancy after each choice, which falls as points are added', () => {
    const features = makeFeatures(2);
    const herded = herding({ features, ...quota, pointsPerClass: 16 });
    for (const points of [1, 2, 7, 16]) {
      const own = Array.from(herded.indices.slice(0, points));
      expect(herded.discrepancies[points - 1]).toBeCloseTo(distance(mean(features, members(0)), mean(features, own)), 12);
    }
    expect(herded.discrepancies[15]!).toBeLessThan(herded.discrepancies[0]! / 3);
  });

  it('chooses the mean itself if a point is there', () => {
    const features = { data: Float64Array.of(-1, 3, 1, 1, -4, 6), shape: [6, 1] as const };
    expect(herding({ features, points: 1 }).indices[0]).toBe(2);
  });
});

describe('kCenterGreedy', () => {
  it('covers with radii that are the largest distances to the nearest centre, and at most twice the best possible', () => {
    const features: RowMatrix = { data: Float64Array.from(hostNormal(key(5), 24)), shape: [12, 2] };
    const point = (i: number) => Array.from(features.data.slice(2 * i, 2 * i + 2));
    const radius = (centres: readonly number[]) =>
      Math.max(...Array.from({ length: 12 }, (_, i) => Math.min(...centres.map((c) => distance(point(i), point(c))))));
    const { indices, radii } = kCenterGreedy({ features, points: 3 });
    expect(radii[2]).toBeCloseTo(radius(Array.from(indices)), 12);
    let best = Number.POSITIVE_INFINITY;
    for (let a = 0; a < 12; a++) for (let b = 0; b < a; b++) for (let c = 0; c < b; c++) best = Math.min(best, radius([a, b, c]));
    expect(radii[2]!).toBeLessThanOrEqual(2 * best + 1e-12);
    expect(radii[2]!).toBeGreaterThanOrEqual(best - 1e-12);
  });

  it('chooses no point twice, whatever the first one, even among equal points', () => {
    const features = { data: new Float64Array(6), shape: [6, 1] as const };
    expect(new Set(kCenterGreedy({ features, points: 6 }).indices).size).toBe(6);
    const starts = [0, 1, 2].map((seed) => kCenterGreedy({ features: makeFeatures(1), points: 3, first: { key: key(seed) } }).indices[0]);
    expect(new Set(starts).size).toBeGreaterThan(1);
  });
});

describe('randomSubset', () => {
  it('draws every point of a class equally often, none twice, and only from its class', () => {
    const drawn = new Float64Array(count);
    const draws = 2000;
    for (let seed = 0; seed < draws; seed++) {
      const { indices } = randomSubset({ count, ...quota, key: key(seed) });
      expect(new Set(indices).size).toBe(15);
      indices.forEach((i, place) => {
        expect(labels[i]).toBe(Math.floor(place / 5));
        drawn[i]! += 1;
      });
    }
    // Each point is drawn with p = 5/40: the sum has mean 120 and standard deviation 16.
    const p = 5 / 40;
    const chi = drawn.reduce((sum, n) => sum + (n - draws * p) ** 2 / (draws * p * (1 - p)), 0);
    expect(chi).toBeGreaterThan(70);
    expect(chi).toBeLessThan(180);
  });

  it('gives weights 1, or N/M that sum to N', () => {
    const options = { count, ...quota, key: key(0) };
    expect(new Set(randomSubset(options).weights)).toEqual(new Set([1]));
    const { weights } = randomSubset({ ...options, weighting: 'data' });
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(count, 10);
  });
});

describe('every selection', () => {
  const record = (features: RowMatrix) => {
    const recorder = forgettingRecorder(count);
    for (let i = 0; i < count; i++)
      for (let visit = 0; visit < 6; visit++) recorder.visit(i, Math.sin(row(features, i)[0]! * (visit + 1)) > 0);
    return recorder.record();
  };
  const rules = {
    herding: (features: RowMatrix, labels: Int32Array) => herding({ features, ...quota, labels }),
    'k-centre': (features: RowMatrix, labels: Int32Array) => kCenterGreedy({ features, ...quota, labels }),
  };

  it.each(Object.entries(rules))('%s chooses the same points of a permuted data set', (_, rule) => {
    const features = makeFeatures(3);
    const order = hostPermutation(key(9), count);
    const permuted: RowMatrix = { data: Float64Array.from(Array.from(order).flatMap((i) => row(features, i))), shape: features.shape };
    const chosen = rule(
      permuted,
      labels.map((_, i) => labels[order[i]!]!),
    ).indices;
    expect(Array.from(chosen, (i) => order[i])).toEqual(Array.from(rule(features, labels).indices));
  });

  it('is nested: fewer points are the first ones of more', () => {
    const features = makeFeatures(4);
    const smaller = { ...quota, pointsPerClass: 2 };
    expect(takeFirst(herding({ features, ...quota }), 2).indices).toEqual(herding({ features, ...smaller }).indices);
    expect(takeFirst(kCenterGreedy({ features, ...quota }), 2).indices).toEqual(kCenterGreedy({ features, ...smaller }).indices);
    const random = { count, key: key(3), weighting: 'data' } as const;
    const taken = takeFirst(randomSubset({ ...random, ...quota }), 2);
    expect(taken).toEqual(randomSubset({ ...random, ...smaller }));
    const forgotten = forgettingSubset({ record: record(features), ...quota });
    expect(takeFirst(forgotten, 2).indices).toEqual(forgettingSubset({ record: record(features), ...smaller }).indices);
  });

  it('reads float32 features as well', () => {
    const features = makeFeatures(6);
    const narrow = { ...features, data: Float32Array.from(features.data) };
    expect(herding({ features: narrow, ...quota }).indices).toEqual(herding({ features, ...quota }).indices);
  });
});

describe('bad input', () => {
  const features = makeFeatures(1);
  const spoilt = { ...features, data: features.data.map((value, i) => (i === 12 ? Number.NaN : value)) };

  it('is refused with the argument, what was found, and a remedy', () => {
    expect(() => herding({ features: spoilt, ...quota })).toThrow(/features has NaN in row 2.*\(remove that point/);
    expect(() => kCenterGreedy({ features: spoilt, ...quota })).toThrow(ConfigError);
    expect(() => herding({ features, ...quota, pointsPerClass: 41 })).toThrow(/class 0 has only 40 points.*at most 40/);
    expect(() => herding({ features, points: count + 1 })).toThrow(/only 120.*at most 120/);
    expect(() => herding({ features, ...quota, labels: labels.map((c) => c + 1) })).toThrow(
      /labels\[\d+\] is 3, expected an integer in \[0, 3\)/,
    );
    expect(() => herding({ features, ...quota, classes: 4 })).toThrow(/class 3 has only 0 points.*leave out classes without points/);
    expect(() => herding({ features, ...quota, labels: labels.slice(1) })).toThrow(ShapeError);
    expect(() => herding({ features: { data: features.data, shape: [count, 4] }, ...quota })).toThrow(ShapeError);
    expect(() => randomSubset({ count, ...quota, pointsPerClass: 0, key: key(0) })).toThrow(ConfigError);
    expect(() => kCenterGreedy({ features, points: 3, first: { index: count } })).toThrow(/first.index is 120/);
    expect(() => kCenterGreedy({ features, ...quota, first: { index: 0 } })).toThrow(/nearest-mean/);
    expect(() => takeFirst(herding({ features, ...quota }), 6)).toThrow(/has 5/);
    expect(() => forgettingRecorder(2).visit(2, true)).toThrow(/point 2/);
    // @ts-expect-error no such weighting
    expect(() => herding({ features, ...quota, weighting: 'sum' })).toThrow(/'one' or 'data'/);
  });
});
