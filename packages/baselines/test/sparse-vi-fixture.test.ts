import { generalisedLinearModel, sparseVi, type WeightedDrawsRequest } from '@bpc/baselines';
import { choleskyFactor, key } from '@bpc/core';
import { describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';

interface ViCase {
  readonly dim: number;
  readonly likelihoodVariance: number;
  readonly priorVariance: number;
  readonly N: number;
  readonly S: number;
  readonly iterations: number;
  readonly sparsevi: { readonly initialStep: number; readonly innerSteps: number };
}

const fixture = loadFixture<ViCase>('coresets_vi');

/** The stored normals, request after request: one to choose by, then one per step on the weights. */
function normals(name: string, { dim, S, sparsevi: { innerSteps } }: ViCase): () => Float32Array {
  const [select, optimise] = ['z_select', 'z_optimise'].map((part) => Float32Array.from(fixture.values(`${name}/sparsevi/${part}`)));
  const size = S * dim;
  let request = 0;
  return () => {
    const [iteration, place] = [Math.floor(request / (1 + innerSteps)), request % (1 + innerSteps)];
    request++;
    const start = (place === 0 ? iteration : iteration * innerSteps + place - 1) * size;
    return (place === 0 ? select! : optimise!).slice(start, start + size);
  };
}

const gaussian = fixture.cases['gaussian']!;
const logistic = fixture.cases['logistic']!;
const regression = () => {
  const { N, dim, priorVariance } = logistic;
  const x = { data: Float64Array.from(fixture.values('logistic/data')), shape: [N, dim] as const };
  return generalisedLinearModel({ family: 'logistic', x, y: fixture.values('logistic/labels'), priorPrecision: 1 / priorVariance });
};

const samplers = {
  /** The exact posterior of the location model. */
  gaussian: () => {
    const { dim, S, likelihoodVariance, priorVariance } = gaussian;
    const data = fixture.values('gaussian/data');
    const z = normals('gaussian', gaussian);
    return ({ indices, weights, rows }: WeightedDrawsRequest) => {
      const noise = z();
      const precision = 1 / priorVariance + weights.reduce((a, b) => a + b, 0) / likelihoodVariance;
      const mean = Array.from({ length: dim }, (_, j) =>
        Array.from(indices).reduce((sum, n, i) => sum + (weights[i]! * data[n * dim + j]!) / likelihoodVariance / precision, 0),
      );
      return Float64Array.from({ length: rows.length * S }, (_, i) => {
        const [n, s] = [rows[Math.floor(i / S)]!, i % S];
        const squares = mean.reduce((sum, mu, j) => sum + (data[n * dim + j]! - mu - noise[s * dim + j]! / Math.sqrt(precision)) ** 2, 0);
        return -squares / (2 * likelihoodVariance);
      });
    };
  },
  /** mode + chol_lower(covariance) z, as the fixture draws. */
  logistic: () => {
    const { dim, S } = logistic;
    const model = regression();
    const z = normals('logistic', logistic);
    return ({ indices, weights, rows }: WeightedDrawsRequest) => {
      const noise = z();
      const fit = model.laplace({ indices, weights });
      const factor = fit.covariance();
      choleskyFactor(factor, dim);
      const data = Float64Array.from({ length: S * dim }, (_, i) => {
        const [s, j] = [Math.floor(i / dim), i % dim];
        let value = fit.mode[j]!;
        for (let k = 0; k <= j; k++) value += factor[j * dim + k]! * noise[s * dim + k]!;
        return value;
      });
      return model.logLikelihoods({ data, shape: [S, dim] }, rows).data;
    };
  },
};

describe.each(['gaussian', 'logistic'] as const)('SparseVI of the fixture coresets_vi, %s', (name) => {
  it('chooses the same points and reaches the same weights in every iteration', async () => {
    const { N, S, iterations, sparsevi } = fixture.cases[name]!;
    const { initialStep, innerSteps: reweightingSteps } = sparsevi;
    const path = await sparseVi({ sampler: samplers[name](), count: N, iterations, draws: S, reweightingSteps, initialStep, key: key(0) });
    expect(Array.from(path.selected)).toEqual(Array.from(fixture.values(`${name}/sparsevi/selected`)));
    const dense = Array.from({ length: iterations }, (_, i) => {
      const { indices, weights } = path.at(i + 1);
      const row = new Array<number>(N).fill(0);
      indices.forEach((n, place) => {
        row[n] = weights[place]!;
      });
      return row;
    });
    fixture.expectClose(`${name}/sparsevi/weights`, dense.flat(), 'f64');
  });
});

describe('generalisedLinearModel', () => {
  it('has the mode and covariance of the fixture’s weighted pseudo-points', () => {
    const { dim, priorVariance } = logistic;
    const weights = Float64Array.from(fixture.values('logistic/weights'));
    const x = { data: Float64Array.from(fixture.values('logistic/points')), shape: [weights.length, dim] as const };
    const model = generalisedLinearModel({
      family: 'logistic',
      x,
      y: fixture.values('logistic/point_labels'),
      priorPrecision: 1 / priorVariance,
    });
    const fit = model.laplace({ indices: Int32Array.from(weights.keys()), weights });
    fixture.expectClose('logistic/laplace_mode', fit.mode, 'f64');
    fixture.expectClose('logistic/laplace_covariance', fit.covariance(), 'f64');
  });
});
