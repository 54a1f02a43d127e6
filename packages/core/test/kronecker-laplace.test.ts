import './support/backend.js';
import type { Coreset, DivergenceInput, Key, KroneckerLaplaceOptions, Runtime, Tree } from '@bpc/core';
import {
  ConfigError,
  crossEntropyEnergy,
  disposeTree,
  forwardKl,
  gaussianEnergy,
  key,
  kroneckerFactors,
  kroneckerLaplace,
  kroneckerLaplaceDraws,
  normal,
  supervised,
  treeMap,
} from '@bpc/core';
import { divergenceConformance, relativeDeviation } from '@bpc/core/testing';
import { convNet, mlp } from '@bpc/models';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { memory, mul, tensor1d, tensor2d, zeros } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { runtimes } from './support/runtimes.js';

type Matrix = readonly (readonly number[])[];
const rows = (flat: ArrayLike<number>, columns: number): number[][] =>
  Array.from({ length: flat.length / columns }, (_, i) => Array.from({ length: columns }, (__, j) => flat[i * columns + j] ?? Number.NaN));
const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => (b[0] ?? []).map((_, j) => row.reduce((total, value, k) => total + value * (b[k]?.[j] ?? Number.NaN), 0)));
const transposed = (a: Matrix): number[][] => (a[0] ?? []).map((_, j) => a.map((row) => row[j] ?? Number.NaN));
const kronecker = (a: Matrix, b: Matrix): number[][] => a.flatMap((ra) => b.map((rb) => ra.flatMap((x) => rb.map((y) => x * y))));
const sumOf = (matrices: readonly Matrix[]): number[][] =>
  (matrices[0] ?? []).map((row, i) => row.map((_, j) => matrices.reduce((total, m) => total + (m[i]?.[j] ?? Number.NaN), 0)));
const scaled = (a: Matrix, factor: number): number[][] => a.map((row) => row.map((value) => value * factor));
const outer = (v: readonly number[]): number[][] => v.map((x) => v.map((y) => x * y));
const closeTo = (found: Matrix, expected: Matrix, tolerance: number) =>
  expect(relativeDeviation(found.flat(), expected.flat())).toBeLessThan(tolerance);
const read = (t: Tensor | undefined) => rows(t?.dataSync() ?? [], t?.shape.at(-1) ?? 1);

const softmax = (z: readonly number[]) => {
  const e = z.map(Math.exp);
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((value) => value / total);
};
/** diag(p) − ppᵀ. */
const fisherOf = (p: readonly number[]): number[][] => p.map((x, i) => p.map((y, j) => (i === j ? x : 0) - x * y));

/** Derivatives of a function of a vector by central differences: one row per result. */
function jacobian(f: (v: readonly number[]) => readonly number[], at: readonly number[]): number[][] {
  const h = 1e-5;
  const moved = (k: number, by: number) => f(at.map((value, i) => value + (i === k ? by : 0)));
  return transposed(at.map((_, k) => moved(k, h).map((value, i) => (value - (moved(k, -h)[i] ?? Number.NaN)) / (2 * h))));
}

describe.each(runtimes)('Kronecker factors on %s', (_, makeRuntime) => {
  const run = async <R extends Tree>(program: (...args: readonly Tree[]) => R, ...args: readonly Tree[]): Promise<R> => {
    const runtime: Runtime = await makeRuntime();
    const found = await runtime.compile(program)(...args);
    await runtime.dispose();
    return found;
  };

  it('are exact on a linear layer with a Gaussian likelihood: N A ⊗ G is the Fisher matrix Σ w (a aᵀ) ⊗ precision·I', async () => {
    const network = mlp({ inputShape: [3], outputs: 2, hidden: [] });
    const precision = 2.5;
    const [params, x, weights] = [network.init(key(0)), normal(key(1), [7, 3]), tensor1d([1, 0.5, 2, 1, 3, 0.2, 1])];
    const found = await run(
      (p, points, w) =>
        kroneckerFactors(
          network.layerwise as never,
          p as never,
          { x: points as Tensor, weights: w as Tensor },
          {
            likelihood: { kind: 'gaussian', precision },
            pointsAtOnce: 3,
          },
        ) as unknown as { layers: { dense: { inputs: Tensor; outputs: Tensor } }; weight: Tensor },
      params,
      x,
      weights,
    );
    const { inputs, outputs } = found.layers.dense;
    const exact = sumOf(read(x).map((row, m) => scaled(outer([...row, 1]), weights.dataSync()[m] ?? 0)));
    const identity = [
      [1, 0],
      [0, 1],
    ];
    const weight = found.weight.dataSync()[0] ?? Number.NaN;
    closeTo(scaled(kronecker(read(inputs), read(outputs)), weight), kronecker(exact, scaled(identity, precision)), 1e-5);
  });

  it('are exact in every layer for a single point: A ⊗ G is the Gauss–Newton matrix found by differences of the outputs', async () => {
    const network = mlp({ inputShape: [2], outputs: 3, hidden: [4], activation: 'tanh' });
    const [params, x] = [network.init(key(2)), normal(key(3), [1, 2])];
    const { layers } = await run(
      (p, points) =>
        kroneckerFactors(
          network.layerwise as never,
          p as never,
          { x: points as Tensor, weights: tensor1d([1]) },
          {
            likelihood: { kind: 'categorical' },
            pointsAtOnce: 25,
          },
        ) as unknown as { layers: Record<string, { inputs: Tensor; outputs: Tensor }> },
      params,
      x,
    );
    // The forward pass in plain numbers, as a function of one layer's weights, the bias as their last row.
    const own = Object.fromEntries(
      Object.entries(params).map(([name, { kernel, bias }]) => [name, [...read(kernel), Array.from(bias.dataSync())]]),
    );
    const forward = (weights: Record<string, Matrix>): number[] => {
      const apply = (input: readonly number[], w: Matrix) => product([[...input, 1]], w)[0] ?? [];
      return apply(apply(Array.from(x.dataSync()), weights['hidden0'] ?? []).map(Math.tanh), weights['dense'] ?? []);
    };
    const fisher = fisherOf(softmax(forward(own)));
    for (const layer of ['hidden0', 'dense']) {
      const columns = own[layer]?.[0]?.length ?? 0;
      const j = jacobian((v) => forward({ ...own, [layer]: rows(v, columns) }), (own[layer] ?? []).flat());
      const exact = product(product(transposed(j), fisher), j);
      closeTo(kronecker(read(layers[layer]?.inputs), read(layers[layer]?.outputs)), exact, 1e-4);
    }
  });

  it.each(['none', 'instance'] as const)(
    'of a convolution are its sums over patches and mean over positions, with norm %s',
    async (norm) => {
      const epsilon = 1e-5;
      const network = convNet({ inputShape: [4, 4, 1], outputs: 3, depth: 1, width: 2, norm });
      const [params, x, weights] = [network.init(key(4)), normal(key(5), [3, 4, 4, 1]), tensor1d([1, 0.25, 2])];
      const { layers, weight } = await run(
        (p, points, w) =>
          kroneckerFactors(
            network.layerwise as never,
            p as never,
            { x: points as Tensor, weights: w as Tensor },
            {
              likelihood: { kind: 'categorical' },
              pointsAtOnce: 2,
            },
          ) as unknown as { layers: Record<string, { inputs: Tensor; outputs: Tensor }>; weight: Tensor },
        params,
        x,
        weights,
      );
      const tree = params as unknown as Record<string, Record<string, Tensor>>;
      const kernel = rows(tree['conv0']?.['kernel']?.dataSync() ?? [], 2);
      const [convBias, dense, denseBias] = [tree['conv0']?.['bias'], tree['dense']?.['kernel'], tree['dense']?.['bias']].map(
        (t) => t as Tensor,
      );
      const image = (m: number) => Array.from(x.dataSync().slice(16 * m, 16 * m + 16));
      const pixel = (u: readonly number[], i: number, j: number) => (i < 0 || j < 0 || i > 3 || j > 3 ? 0 : (u[4 * i + j] ?? 0));
      const patch = (u: readonly number[], t: number) =>
        Array.from({ length: 9 }, (_, k) => pixel(u, Math.floor(t / 4) + Math.floor(k / 3) - 1, (t % 4) + (k % 3) - 1));
      const positions = Array.from({ length: 16 }, (_, t) => t);
      /** Outputs from what the convolution gives, [position][channel]. */
      const after = (s: Matrix): number[] => {
        const columns = transposed(s).map((column) => {
          const mean = column.reduce((a, b) => a + b, 0) / 16;
          const variance = column.reduce((a, b) => a + (b - mean) ** 2, 0) / 16;
          return norm === 'none' ? column : column.map((value) => (value - mean) / Math.sqrt(variance + epsilon));
        });
        const pooled = [0, 1, 2, 3].flatMap((q) =>
          columns.map((column) =>
            [0, 1, 4, 5].reduce((total, d) => total + Math.max(0, column[8 * Math.floor(q / 2) + 2 * (q % 2) + d] ?? 0) / 4, 0),
          ),
        );
        const last = product([pooled], rows(dense?.dataSync() ?? [], 3))[0] ?? [];
        return last.map((value, c) => value + (denseBias?.dataSync()[c] ?? 0));
      };
      const total = Array.from(weights.dataSync()).reduce((a, b) => a + b, 0);
      const inputs: Matrix[] = [];
      const outputs: Matrix[] = [];
      for (const m of [0, 1, 2]) {
        const w = (weights.dataSync()[m] ?? 0) / total;
        const s = positions.map((t) =>
          (product([patch(image(m), t)], kernel)[0] ?? []).map((value, c) => value + (convBias?.dataSync()[c] ?? 0)),
        );
        inputs.push(...positions.map((t) => scaled(outer([...patch(image(m), t), 1]), w)));
        const j = jacobian((v) => after(rows(v, 2)), s.flat());
        const full = product(product(transposed(j), fisherOf(softmax(after(s)))), j);
        outputs.push(...positions.map((t) => [0, 1].map((a) => [0, 1].map((b) => ((full[2 * t + a]?.[2 * t + b] ?? 0) * w) / 16))));
      }
      expect(weight.dataSync()[0]).toBeCloseTo(total, 5);
      closeTo(read(layers['conv0']?.inputs), sumOf(inputs), 1e-5);
      closeTo(read(layers['conv0']?.outputs), sumOf(outputs), 2e-4);
    },
  );
});

describe('the Kronecker-factored Laplace posterior', () => {
  const network = mlp({ inputShape: [3], outputs: 2, hidden: [] });
  const precision = 2.5;
  const model = supervised({ network, energy: gaussianEnergy({ precision }) });
  const coreset: Coreset = { x: normal(key(1), [7, 3]), y: zeros([7, 2]), weights: tensor1d([1, 0.5, 2, 1, 3, 0.2, 1]) };
  const input = { model, coreset, learnable: { x: true, y: false, weights: false }, expert: network.init(key(0)) };
  const options: KroneckerLaplaceOptions = { steps: 0, precision: 1e-8, likelihood: { kind: 'gaussian', precision } };
  const fisher = kronecker(sumOf(read(coreset.x).map((row, m) => scaled(outer([...row, 1]), coreset.weights.dataSync()[m] ?? 0))), [
    [precision, 0],
    [0, precision],
  ]);

  it('has the inverse of the exact Fisher matrix for covariance as the damping goes to zero, and of it plus τ up to a factor of 2', () => {
    const { roots } = kroneckerLaplace(input, options);
    const covariance = (r: { readonly inputs: Tensor; readonly outputs: Tensor } | undefined) =>
      kronecker(product(transposed(read(r?.inputs)), read(r?.inputs)), product(transposed(read(r?.outputs)), read(r?.outputs)));
    const identity = fisher.map((row, i) => row.map((_, j) => (i === j ? 1 : 0)));
    closeTo(product(covariance(roots['dense']), fisher), identity, 2e-3);
    const tau = 4;
    const damped = covariance(kroneckerLaplace(input, { ...options, precision: tau }).roots['dense']);
    const ratio = product(damped, sumOf([fisher, scaled(identity, tau)]));
    // Eigenvalues of covariance times precision lie in [1/2, 1], so that their mean does, and it is not at an end.
    const mean = ratio.reduce((total, row, i) => total + (row[i] ?? 0) / ratio.length, 0);
    expect(mean).toBeGreaterThan(0.5);
    expect(mean).toBeLessThan(0.999);
  });

  it('draws with that covariance around the mode: each entry of 4000 draws within 5 standard errors', () => {
    const count = 4000;
    const draws = kroneckerLaplaceDraws(options).draw(key(5), input, count);
    const { kernel, bias } = draws['dense'] as { readonly kernel: Tensor; readonly bias: Tensor };
    expect(kernel.shape).toEqual([count, 3, 2]);
    const mode = [
      ...Array.from(input.expert['dense']?.kernel.dataSync() ?? []),
      ...Array.from(input.expert['dense']?.bias.dataSync() ?? []),
    ];
    const [k, b] = [kernel.dataSync(), bias.dataSync()];
    const deviation = Array.from({ length: count }, (_, s) =>
      mode.map((centre, i) => (i < 6 ? (k[6 * s + i] ?? 0) : (b[2 * s + i - 6] ?? 0)) - centre),
    );
    const empirical = scaled(product(transposed(deviation), deviation), 1 / count);
    const { roots } = kroneckerLaplace(input, options);
    const gram = (r: Tensor | undefined) => product(transposed(read(r)), read(r));
    const exact = kronecker(gram(roots['dense']?.inputs), gram(roots['dense']?.outputs));
    exact.forEach((row, i) =>
      row.forEach((value, j) => {
        const error = Math.sqrt(((exact[i]?.[i] ?? 0) * (exact[j]?.[j] ?? 0) + value ** 2) / count);
        expect(Math.abs((empirical[i]?.[j] ?? 0) - value)).toBeLessThan(5 * error);
      }),
    );
    // Transposed factors, the usual mistake, have another covariance.
    const swapped = kronecker(gram(roots['dense']?.outputs), gram(roots['dense']?.inputs));
    expect(relativeDeviation(swapped.flat(), exact.flat())).toBeGreaterThan(0.1);
  });

  const images = (): DivergenceInput<never> => {
    const conv = convNet({ inputShape: [4, 4, 1], outputs: 3, depth: 1, width: 2 });
    return {
      model: supervised({ network: conv, energy: crossEntropyEnergy() }) as never,
      coreset: {
        x: normal(key(1), [3, 4, 4, 1]),
        y: tensor2d([
          [1, 0, 0],
          [1, 0, 0],
          [0, 0, 1],
        ]),
        weights: tensor1d([1, 2, 0.5]),
      },
      learnable: { x: true, y: false, weights: false },
      expert: conv.init(key(0)) as never,
      start: conv.init(key(8)) as never,
    };
  };
  const posterior = kroneckerLaplaceDraws({ steps: 3, precision: 100, pointsAtOnce: 2 });

  it('leaves the parameters of norms where they are, and moves everything else', () => {
    const draws = posterior.draw(key(1), images(), 2) as unknown as Record<string, Record<string, Tensor>>;
    const spread = (t: Tensor | undefined) => {
      const values = t?.dataSync() ?? new Float32Array(2);
      return Math.abs((values[0] ?? 0) - (values[values.length / 2] ?? 0));
    };
    expect(spread(draws['norm0']?.['gamma'])).toBe(0);
    for (const layer of ['conv0', 'dense']) for (const part of ['kernel', 'bias']) expect(spread(draws[layer]?.[part])).toBeGreaterThan(0);
  });

  describe.each(runtimes)('in a forward KL on %s', (_, makeRuntime) => {
    it('gives what eager code gives', async () => {
      const runtime = await makeRuntime();
      const divergence = forwardKl({ draws: 2, sigma: 0.05, posterior });
      const given = images();
      const estimate = (k: Key, x: Tensor) => {
        return divergence.estimate(k, { ...given, coreset: { ...given.coreset, x } }).grad as Tree;
      };
      const { coreset: own } = given;
      const found = (await runtime.compile(estimate)(key(3), own.x)) as { readonly x: Tensor };
      const expected = estimate(key(3), own.x) as { readonly x: Tensor };
      expect(relativeDeviation(found.x, expected.x)).toBeLessThan(1e-3);
      disposeTree(found);
      await runtime.dispose();
    });
  });

  describe('in the conformance suite', () => divergenceConformance({ divergence: forwardKl({ draws: 2, posterior }), input: images, it }));

  it('stays finite where outputs are saturated and where no point weighs anything', () => {
    const given = images();
    const loud = { ...given, coreset: { ...given.coreset, x: normal(key(2), [3, 4, 4, 1]), weights: zeros([3]) as Tensor1D } };
    for (const one of [loud, { ...given, expert: treeTimes(given.expert, 1e3) }]) {
      const { grad } = forwardKl({ draws: 2, posterior }).estimate(key(0), one);
      expect(grad.x?.dataSync().every(Number.isFinite)).toBe(true);
    }
  });

  it('leaks nothing', () => {
    const given = images();
    disposeTree(posterior.draw(key(1), given, 2));
    const before = memory().numTensors;
    disposeTree(posterior.draw(key(1), given, 2));
    expect(memory().numTensors).toBe(before);
  });

  it.each([
    ['steps', { steps: -1 }],
    ['stepSize', { stepSize: 0 }],
    ['precision', { precision: 0 }],
    ['precision', { precision: Number.NaN }],
    ['from', { from: 'end' as never }],
    ['likelihood.kind', { likelihood: { kind: 'poisson' } as never }],
    ['likelihood.precision', { likelihood: { kind: 'gaussian', precision: -1 } as const }],
    ['reduction', { reduction: 'max' as never }],
  ])('refuses a bad %s by name', (name, bad) => {
    expect(() => kroneckerLaplaceDraws(bad)).toThrow(ConfigError);
    expect(() => kroneckerLaplaceDraws(bad)).toThrow(new RegExp(`^${name.replace('.', '\\.')} is`));
  });

  it('says how to get a model whose layers can be looked into', () => {
    const given = images();
    const { layerwise: _, ...blind } = given.model;
    expect(() => posterior.draw(key(0), { ...given, model: blind }, 1)).toThrow(/model has no layerwise.*make it with supervised/);
  });
});

function treeTimes<T extends Tree>(tree: T, factor: number): T {
  return treeMap((leaf) => mul(leaf, factor), tree);
}
