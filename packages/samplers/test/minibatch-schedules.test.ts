import './support/backend.js';
import { ConfigError, foldIn, type HostTensor, hostArray, key, ShapeError, type Tree, treeLeaves } from '@bpc/core';
import { cyclicalSchedule, minibatchLogDensity, sgld } from '@bpc/samplers';
import { mul, type Scalar, scalar, square, sub, sum, type Tensor, tensor1d, zeros } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { chooseRows, firstRows, gatherRows } from '../src/sampling/minibatch.js';

const normal = (x: Tensor): Scalar => mul(sum(square(x)), -0.5);
const values = (tree: Tree) => treeLeaves(tree).flatMap((leaf) => [...leaf.dataSync()]);

describe('minibatchLogDensity', () => {
  const logPrior = (mean: Tensor) => mul(square(mean), -0.5);
  const logLikelihood = (mean: Tensor, batch: Tensor) => mul(square(sub(batch, mean)), -0.5);

  it('averages over batches to the log density of all data', () => {
    const data = [1, 3, -2, 0.5, 4, 2];
    const estimate = minibatchLogDensity({ logPrior, logLikelihood, size: data.length });
    const at = (batch: readonly number[]) => estimate(scalar(0.7), tensor1d([...batch])).dataSync()[0]!;
    // Unequal batches, each weighed by its length, cover the data once.
    const mean = (2 * at(data.slice(0, 2)) + 4 * at(data.slice(2))) / 6;
    const exact = -0.5 * 0.7 ** 2 - 0.5 * data.reduce((total, x) => total + (x - 0.7) ** 2, 0);
    expect(mean).toBeCloseTo(exact, 4);
    expect(at(data)).toBeCloseTo(exact, 4);
  });

  it('refuses likelihoods that are no vector, and data sets without points', () => {
    const bad = minibatchLogDensity({ logPrior, logLikelihood: (mean: Tensor, batch: Tensor) => sum(logLikelihood(mean, batch)), size: 3 });
    expect(() => bad(scalar(0), tensor1d([1]))).toThrow(/logLikelihood returned shape \[\], expected \[batch\]/);
    expect(() => minibatchLogDensity({ logPrior, logLikelihood, size: 3 })(scalar(0), zeros([0]))).toThrow(ShapeError);
    expect(() => minibatchLogDensity({ logPrior, logLikelihood, size: 0 })).toThrow(/size is 0/);
  });
});

describe('rows of a mini-batch', () => {
  it('are different, and every set of them is equally likely', () => {
    const [count, size, batches] = [5, 2, 20_000];
    const rows = new Int32Array(size);
    const sets = new Map<string, number>();
    for (let i = 0; i < batches; i++) {
      chooseRows(foldIn(key(4), i), count, size, rows, 0);
      const name = [...rows].sort().join();
      sets.set(name, (sets.get(name) ?? 0) + 1);
    }
    const expected = batches / 10;
    expect(sets.size).toBe(10);
    expect([...sets.keys()].every((name) => /^([0-4]),(?!\1)[0-4]$/.test(name))).toBe(true);
    const chiSquare = [...sets.values()].reduce((total, n) => total + (n - expected) ** 2 / expected, 0);
    // 9 degrees of freedom: 99.99 %.
    expect(chiSquare).toBeLessThan(33.7);
  });

  it('are stacked per step with all their columns, integers as integers', () => {
    const data = {
      x: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      label: Int32Array.of(7, 8, 9),
      cube: { data: new Float64Array([1, 2, 3]), shape: [3, 1, 1] },
    };
    const { x, label, cube } = gatherRows(data, Int32Array.of(2, 0, 1, 2), 2) as Record<string, Tensor>;
    expect([x?.shape, label?.shape, cube?.shape]).toEqual([
      [2, 2, 2],
      [2, 2],
      [2, 2, 1, 1],
    ]);
    expect([...x!.dataSync()]).toEqual([5, 6, 1, 2, 3, 4, 5, 6]);
    expect([label?.dtype, ...label!.dataSync()]).toEqual(['int32', 9, 7, 8, 9]);
    expect([cube?.dtype, ...cube!.dataSync()]).toEqual(['float32', 3, 1, 2, 3]);
    const first = firstRows(data, 2) as { readonly [name: string]: HostTensor };
    expect(['x', 'label', 'cube'].map((name) => [...hostArray(first[name]!).data])).toEqual([
      [1, 2, 3, 4],
      [7, 8],
      [1, 2],
    ]);
  });

  it('are all of them where a batch is the data set', () => {
    const rows = new Int32Array(6);
    chooseRows(key(1), 6, 6, rows, 0);
    expect([...rows].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('cyclicalSchedule', () => {
  it('is the formula of the paper, and cold while it explores', () => {
    const { stepSize, temperature } = cyclicalSchedule({ initial: 0.2, cycleLength: 8, exploration: 0.5, temperature: 2 });
    for (let t = 0; t < 24; t++) {
      const r = (t % 8) / 8;
      expect(stepSize(scalar(t)).dataSync()[0]).toBeCloseTo(0.1 * (Math.cos(Math.PI * r) + 1), 6);
      expect(temperature(scalar(t)).dataSync()[0]).toBe(r < 0.5 ? 0 : 2);
    }
  });

  it('makes sgld take steps without noise while it explores, and with noise after', () => {
    const { init, step } = sgld({ logDensity: normal, ...cyclicalSchedule({ initial: 0.1, cycleLength: 2, exploration: 0.5 }) });
    const first = init(tensor1d([1]) as Tensor, key(0));
    const second = step(key(1), first)[0];
    expect(values(step(key(2), first)[0].position)).toEqual(values(second.position));
    expect(values(step(key(2), second)[0].position)).not.toEqual(values(step(key(3), second)[0].position));
  });

  it('refuses values outside their domains', () => {
    const good = { initial: 0.1, cycleLength: 10 };
    for (const bad of [
      { initial: 0 },
      { cycleLength: 0 },
      { cycleLength: 2.5 },
      { exploration: 1 },
      { exploration: -0.1 },
      { temperature: -1 },
    ]) {
      expect(() => cyclicalSchedule({ ...good, ...bad })).toThrow(ConfigError);
    }
  });
});
