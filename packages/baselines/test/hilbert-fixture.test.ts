import { frankWolfe, giga, type HilbertPath, type HilbertVectors, orthogonalPursuit, projectLogLikelihoods } from '@bpc/baselines';
import { describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';
import { countWeights, importanceProbabilities } from '../src/hilbert/sampling.js';

interface HilbertCase {
  readonly N: number;
  readonly S: number;
  readonly dim: number;
  readonly iterations: number;
  readonly pursuitIterations: number;
}

const fixture = loadFixture<HilbertCase>('hilbert');

/** f = −½‖x − θ‖² or −log(1 + exp(−y x·θ)), as the fixture says. */
function logLikelihoods(name: string, { N, S, dim }: HilbertCase): Float64Array {
  const [data, samples] = [fixture.values(`${name}/data`), fixture.values(`${name}/samples`)];
  const labels = name === 'logistic' ? fixture.values('logistic/labels') : undefined;
  return Float64Array.from({ length: N * S }, (_, i) => {
    const [n, s] = [Math.floor(i / S), i % S];
    let [product, squares] = [0, 0];
    for (let j = 0; j < dim; j++) {
      const [x, theta] = [data[n * dim + j]!, samples[s * dim + j]!];
      product += x * theta;
      squares += (x - theta) ** 2;
    }
    return labels === undefined ? -squares / 2 : -Math.log1p(Math.exp(-labels[n]! * product));
  });
}

describe.each(['gaussian', 'logistic'])('the Hilbert fixture, %s', (name) => {
  const facts = fixture.cases[name]!;
  const { N, S, iterations, pursuitIterations } = facts;
  const vectors: HilbertVectors = projectLogLikelihoods({ logLikelihoods: { data: logLikelihoods(name, facts), shape: [N, S] } });

  /** [iterations, N] with zeros where there is no weight. */
  const dense = (path: HilbertPath) =>
    Float64Array.from(
      Array.from({ length: path.iterations }, (_, i) => {
        const { indices, weights } = path.at(i + 1);
        const row = new Array<number>(N).fill(0);
        indices.forEach((n, place) => {
          row[n] = weights[place]!;
        });
        return row;
      }).flat(),
    );

  it('has the projected vectors and their norms', () => {
    fixture.expectClose(`${name}/vectors`, vectors.data, 'f64');
    fixture.expectClose(`${name}/norms`, vectors.norms, 'f64');
  });

  it.each([
    ['fw', frankWolfe],
    ['giga', giga],
  ] as const)('has the points, line searches, weights and errors of %s in every iteration', (method, construct) => {
    const path = construct({ vectors, iterations });
    expect(Array.from(path.selected)).toEqual(Array.from(fixture.values(`${name}/${method}/indices`)));
    fixture.expectClose(`${name}/${method}/line_search`, path.lineSearch, 'f64');
    fixture.expectClose(`${name}/${method}/weights`, dense(path), 'f64');
    fixture.expectClose(`${name}/${method}/error`, path.errors, 'f64');
  });

  it('has the points, weights and errors of orthogonal pursuit, which stops once the relative error is below 1e-5', () => {
    const path = orthogonalPursuit({ vectors, iterations, tolerance: 1e-5 });
    expect(path.iterations).toBe(pursuitIterations);
    expect(Array.from(path.selected)).toEqual(Array.from(fixture.values(`${name}/pursuit/indices`)));
    fixture.expectClose(`${name}/pursuit/weights`, dense(path), 'f64');
    fixture.expectClose(`${name}/pursuit/error`, path.errors, 'f64');
  });

  it('has the probabilities and weights of importance and uniform sampling', () => {
    const counts = fixture.values(`${name}/importance/counts`);
    const probabilities = importanceProbabilities(vectors);
    fixture.expectClose(`${name}/importance/probabilities`, probabilities, 'f64');
    fixture.expectClose(`${name}/importance/weights`, countWeights(counts, probabilities), 'f64');
    fixture.expectClose(`${name}/uniform/weights`, countWeights(counts, new Float64Array(N).fill(1 / N)), 'f64');
  });
});
