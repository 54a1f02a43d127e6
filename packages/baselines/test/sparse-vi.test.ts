import { generalisedLinearModel, laplaceKl, randomSubset, type SparseViOptions, sparseVi, type WeightedSampler } from '@bpc/baselines';
import { ConfigError, hostNormal, hostUniform, key, ShapeError } from '@bpc/core';
import { describe, expect, it } from 'vitest';

const count = 200;
const size = 4;
const data = Float64Array.from(hostNormal(key(11), count * size), (z, i) => (i % size === 0 ? 1 : z));
const uniform = hostUniform(key(12), count);
const y = Array.from({ length: count }, (_, n) => {
  const eta = 2 * data[n * size + 1]! - data[n * size + 2]!;
  return uniform[n]! < 1 / (1 + Math.exp(-eta)) ? 1 : 0;
});
const model = generalisedLinearModel({ family: 'logistic', x: { data, shape: [count, size] }, y, priorPrecision: 1 });
const whole = model.laplace();
const options: SparseViOptions = {
  sampler: model.sampler,
  count,
  iterations: 15,
  draws: 50,
  reweightingSteps: 40,
  initialStep: 5,
  key: key(1),
};
const kl = (subset: Parameters<typeof model.laplace>[0]) => laplaceKl(model.laplace(subset), whole);

describe('sparseVi', () => {
  it('nears the posterior of all points as it grows, and beats random points of weight N/M by far', async () => {
    const path = await sparseVi(options);
    const [small, large] = [kl(path.at(2)), kl(path)];
    expect(large).toBeLessThan(small / 5);
    const random = Array.from({ length: 10 }, (_, seed) =>
      kl(randomSubset({ count, points: path.indices.length, weighting: 'data', key: key(seed) })),
    );
    expect(large).toBeLessThan(Math.min(...random));
    expect(large).toBeLessThan(random.reduce((a, b) => a + b, 0) / random.length / 5);
    expect(path.weights.every((weight) => weight > 0)).toBe(true);
    expect(path.residuals.at(-1)!).toBeLessThan(path.residuals[0]! / 2);
    expect(path.residuals[0]).toBeCloseTo(1, 12);
  });

  it('gives equal coresets for equal keys, and the first ones of a longer run', async () => {
    const some = { ...options, iterations: 6, reweightingSteps: 20 };
    const [first, again, short] = [await sparseVi(some), await sparseVi(some), await sparseVi({ ...some, iterations: 4 })];
    expect(again.weights).toEqual(first.weights);
    expect(first.at(4)).toEqual(short.at(4));
    expect((await sparseVi({ ...some, key: key(2) })).weights).not.toEqual(first.weights);
  });

  it('works on subsamples, whose sums stand for all', async () => {
    const path = await sparseVi({ ...options, subsample: 60 });
    expect(kl(path)).toBeLessThan(kl(path.at(1)) / 5);
    expect(new Set(path.indices).size).toBe(path.indices.length);
  });

  // Centring over points, the published mistake, would remove what all points share and keep what each point has for itself.
  it('centres over draws: a function of the draw that all points share matters', async () => {
    const shifted: WeightedSampler = async (request) => {
      const values = await model.sampler(request);
      return values.map((value, i) => value + 50 * Math.sin(i % request.draws));
    };
    const constant: WeightedSampler = async (request) => {
      const values = await model.sampler(request);
      return values.map((value, i) => value + 50 * request.rows[Math.floor(i / request.draws)]!);
    };
    const plain = await sparseVi({ ...options, iterations: 3 });
    expect((await sparseVi({ ...options, iterations: 3, sampler: shifted })).weights).not.toEqual(plain.weights);
    const same = await sparseVi({ ...options, iterations: 3, sampler: constant });
    expect(same.selected).toEqual(plain.selected);
    same.weights.forEach((weight, i) => expect(weight).toBeCloseTo(plain.weights[i]!, 6));
  });

  it('chooses a point again where its weight is what matters', async () => {
    // Two points, one of which says everything.
    const twin: WeightedSampler = ({ rows, draws }) =>
      Float64Array.from({ length: rows.length * draws }, (_, i) => (rows[Math.floor(i / draws)] === 0 ? 1 : 0) * Math.sin(i % draws));
    const path = await sparseVi({ sampler: twin, count: 2, iterations: 2, draws: 20, reweightingSteps: 1, initialStep: 0.1, key: key(0) });
    expect(Array.from(path.selected)).toEqual([0, 0]);
    expect(Array.from(path.sizes)).toEqual([1, 1]);
    expect(path.at(2).weights[0]!).toBeGreaterThan(path.at(1).weights[0]!);
  });

  it('stops when it is aborted, and reports its progress', async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    const run = sparseVi({
      ...options,
      signal: abort.signal,
      onProgress: (done, total) => {
        seen.push(done / total);
        abort.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED', step: 1 });
    expect(seen).toEqual([1 / 15]);
  });

  it('refuses bad input with a remedy', async () => {
    const refused = (changes: Partial<SparseViOptions>) => expect(sparseVi({ ...options, ...changes })).rejects;
    await refused({ iterations: 201 }).toThrow(/only 200 points.*at most 200/);
    await refused({ draws: 1 }).toThrow(ConfigError);
    await refused({ initialStep: -1 }).toThrow(/initialStep is -1/);
    await refused({ subsample: 0 }).toThrow(/subsample is 0/);
    await refused({ sampler: () => new Float64Array(3) }).toThrow(ShapeError);
    await refused({ sampler: ({ rows, draws }) => new Float64Array(rows.length * draws).fill(Number.NaN) }).toThrow(/not finite/);
    await refused({ sampler: ({ rows, draws }) => new Float64Array(rows.length * draws) }).toThrow(/differs from draw to draw/);
  });
});
