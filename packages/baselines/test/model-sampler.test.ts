import '@tensorflow/tfjs-backend-cpu';
import { arrayPoints, generalisedLinearModel, logLikelihoods, modelSampler, sparseVi } from '@bpc/baselines';
import { jsRuntime } from '@bpc/compiler';
import { disposeTree, eagerRuntime, hostNormal, key, type Model, normal, type Runtime, ShapeError } from '@bpc/core';
import {
  matMul,
  memory,
  mul,
  neg,
  reshape,
  type Scalar,
  setBackend,
  softplus,
  square,
  squeeze,
  sum,
  type Tensor,
  type Tensor1D,
} from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

const [count, size] = [30, 3];
const data = Float64Array.from(hostNormal(key(1), count * size));
const signs = Float64Array.from({ length: count }, (_, n) => (data[n * size]! + 0.5 * data[n * size + 1]! > 0.2 * Math.sin(n) ? 1 : -1));
type Coefficients = { readonly theta: Tensor };

/** The same logistic regression as a `Model` of tensors. */
const model: Model<Coefficients> = {
  init: (k) => ({ theta: normal(k, [size]) }),
  logPrior: ({ theta }) => mul(sum(square(theta)), -0.5) as Scalar,
  logLikelihood: ({ theta }, { x, y }) =>
    neg(softplus(neg(mul(squeeze(y, [1]), squeeze(matMul(x, reshape(theta, [size, 1])), [1]))))) as Tensor1D,
};
const points = arrayPoints({ x: { data, shape: [count, size] }, y: { data: signs, shape: [count, 1] } });
const host = generalisedLinearModel({ family: 'logistic', x: { data, shape: [count, size] }, y: signs, priorPrecision: 1 });
const runtimes: Readonly<Record<string, () => Runtime>> = { eager: () => eagerRuntime(), js: () => jsRuntime() };

beforeAll(async () => {
  await setBackend('cpu');
});

describe.each(Object.entries(runtimes))('on the %s runtime', (_, make) => {
  it('log-likelihoods are those of the regression on the host, whatever the batches and blocks, and leak no tensor', async () => {
    const runtime = make();
    const draws = host.laplace().draw(key(2), 7);
    const expected = host.logLikelihoods(draws).data;
    const theta = normal(key(0), [7, size]);
    const stacked = { theta };
    const actual = host.logLikelihoods({ data: Float64Array.from(await theta.data()), shape: [7, size] }).data;
    for (const [batch, drawsAtOnce] of [
      [30, 7],
      [8, 3],
      [1, 1],
      [64, 16],
    ] as const) {
      const table = logLikelihoods({ model, runtime, points, batch, drawsAtOnce });
      const { data: found, shape } = await table.of(stacked);
      expect(shape).toEqual([count, 7]);
      found.forEach((value, i) => expect(value).toBeCloseTo(actual[i]!, 4));
      const rows = Int32Array.of(29, 3, 3);
      const some = await table.of(stacked, rows);
      rows.forEach((n, i) => expect(some.data[i * 7 + 2]).toBe(found[n * 7 + 2]));
      const before = memory().numTensors;
      await table.of(stacked, rows);
      expect(memory().numTensors).toBe(before);
      await table.dispose();
    }
    expect(expected.length).toBe(actual.length);
    disposeTree(stacked);
    await runtime.dispose();
  });
});

describe('modelSampler', () => {
  it('draws from the Laplace approximation that the regression on the host has, with and without points', async () => {
    const runtime = jsRuntime();
    const start = model.init(key(3));
    const { sampler, dispose } = modelSampler({ model, runtime, points, start });
    const rows = Int32Array.from({ length: count }, (_, n) => n);
    const subsets = [
      { indices: new Int32Array(0), weights: new Float64Array(0) },
      { indices: Int32Array.of(4, 9, 20), weights: Float64Array.of(3, 5, 2) },
    ];
    for (const subset of subsets) {
      const draws = 600;
      const found = await sampler({ ...subset, rows, draws, key: key(5) });
      const expected = await host.sampler({ ...subset, rows, draws: 6000, key: key(6) });
      for (const n of [0, 11, 29]) {
        const moments = (values: Float64Array, columns: number) => {
          const row = Array.from(values.slice(n * columns, (n + 1) * columns));
          const mean = row.reduce((a, b) => a + b, 0) / columns;
          return { mean, sd: Math.sqrt(row.reduce((t, v) => t + (v - mean) ** 2, 0) / columns) };
        };
        const [ours, theirs] = [moments(found, draws), moments(expected, 6000)];
        expect(Math.abs(ours.mean - theirs.mean)).toBeLessThan((5 * theirs.sd) / Math.sqrt(draws));
        expect(ours.sd / theirs.sd).toBeGreaterThan(0.8);
        expect(ours.sd / theirs.sd).toBeLessThan(1.25);
      }
    }
    const { numTensors } = memory();
    const path = await sparseVi({ sampler, count, iterations: 3, draws: 30, reweightingSteps: 4, key: key(7) });
    expect(memory().numTensors).toBe(numTensors);
    expect(path.indices.length).toBeGreaterThan(0);
    await dispose();
    disposeTree(start);
    await runtime.dispose();
  });

  it('refuses draws that are not stacked alike', async () => {
    const runtime = jsRuntime();
    const twice: Model<{ readonly a: Tensor; readonly b: Tensor }> = {
      init: () => ({ a: normal(key(0), []), b: normal(key(0), []) }),
      logPrior: () => sum([0]),
      logLikelihood: ({ a }) => a as Tensor1D,
    };
    const table = logLikelihoods({ model: twice, runtime, points });
    const draws = { a: normal(key(0), [3]), b: normal(key(0), [4]) };
    await expect(table.of(draws)).rejects.toThrow(ShapeError);
    disposeTree(draws);
    await runtime.dispose();
  });
});
