import { ConfigError, disposeTree, eagerRuntime, foldIn, installGradients, key, type Network, type Tree, treeLeaves } from '@bpc/core';
import '@tensorflow/tfjs-backend-cpu';
import { matMul, memory, scalar, setBackend, type Tensor, tensor, tensor1d } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultIpc, preset, tuningSpace } from '../src/config/index.js';
import { getDataset } from '../src/data/get-dataset.js';
import { chainPrograms } from '../src/evaluation/chain-programs.js';
import { hostCoreset, softmaxRows } from '../src/evaluation/host-coreset.js';
import { predictFromCoreset } from '../src/evaluation/predict-from-coreset.js';
import { predictSplit } from '../src/evaluation/predict-split.js';
import { predictionAverage } from '../src/evaluation/prediction-average.js';
import { scorePrediction } from '../src/evaluation/score.js';
import { splitBatches } from '../src/evaluation/split-batches.js';
import { drawCandidate } from '../src/evaluation/tune-evaluation.js';
import { buildNetwork } from '../src/experts/network.js';
import { checkImagesPerClass, initialCoreset } from '../src/learning/initial-coreset.js';
import { chainDisagreement } from '../src/metrics/disagreement.js';
import { evaluatePredictions } from '../src/metrics/evaluate-predictions.js';
import { legacyEce, legacyNll } from '../src/metrics/legacy.js';
import { bmaProbabilities } from '../src/metrics/predictions.js';
import { accuracy, entropyDecomposition } from '../src/metrics/scores.js';

beforeAll(async () => {
  installGradients();
  await setBackend('cpu');
});

const dataset = await getDataset('digits');
const settings = {
  ...preset('digits', defaultIpc).evaluation,
  chains: 2,
  steps: 4,
  draws: 1,
  temperature: 0,
  augment: 'none',
  decay: 'constant' as const,
};
const normals = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 3);

describe('predictionAverage', () => {
  it('equals the metrics of all kept logits, disagreement included', () => {
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 5);
    const chains = [0, 1, 2].map((c) => [0, 1].map((d) => normals(200, 10 * c + d)));
    const average = predictionAverage(labels, 5);
    for (const draws of chains) {
      for (const logits of draws) average.draw(logits);
      average.endChain();
    }
    const prediction = average.result('posterior');
    const reference = evaluatePredictions(chains.flat(), labels).metrics;
    const mine = evaluatePredictions([prediction.logProbabilities], labels).metrics;
    expect(mine.nll).toBeCloseTo(reference.nll, 12);
    expect(mine.accuracy).toBe(reference.accuracy);
    expect(mine.ece).toBeCloseTo(reference.ece, 12);
    const { within, between } = chainDisagreement(chains, 5);
    expect(prediction.disagreementWithin).toBeCloseTo(within ?? Number.NaN, 12);
    expect(prediction.disagreementBetween).toBeCloseTo(between ?? Number.NaN, 12);
  });

  it('accumulates what single draws say as if all were kept: entropies, likelihoods and the legacy figures', () => {
    // More points than the legacy batch of 128, and not a multiple of it.
    const points = 300;
    const labels = Int32Array.from({ length: points }, (_, i) => (i * 7) % 5);
    const chains = [0, 1].map((c) => [0, 1, 2].map((d) => normals(5 * points, 10 * c + d)));
    const average = predictionAverage(labels, 5);
    for (const draws of chains) {
      for (const logits of draws) average.draw(logits);
      average.endChain();
    }
    const all = chains.flat();
    const score = scorePrediction(average.result('posterior'), { labels });
    const { metrics } = evaluatePredictions(all, labels);
    for (const name of ['nll', 'predictiveEntropy', 'mutualInformation', 'meanSingleModelNll', 'eceMax', 'eceRms'] as const)
      expect(score.metrics[name]).toBeCloseTo(metrics[name], 10);
    const { expected } = entropyDecomposition(all, 5);
    expect(score.metrics['expectedEntropy']).toBeCloseTo(expected.reduce((a, b) => a + b, 0) / points, 10);
    const probabilities = bmaProbabilities(all, 5);
    expect(score.legacy['legacyNll']).toBeCloseTo(legacyNll(all, labels), 10);
    expect(score.legacy['legacyEce']).toBeCloseTo(legacyEce(probabilities, labels), 10);
    const single = all.map((logits) => accuracy(bmaProbabilities([logits], 5), labels));
    expect(score.legacy['legacyAccuracy']).toBeCloseTo(single.reduce((a, b) => a + b, 0) / single.length, 12);
    // Jensen and Hölder: averaging gains, and the batch-wise figure hides part of it.
    expect(score.metrics['nll']).toBeLessThan(score.legacy['legacyNll'] ?? 0);
    expect(score.legacy['legacyNll']).toBeLessThan(score.metrics['meanSingleModelNll'] ?? 0);
  });

  it('stays finite where a probability underflows to 0', () => {
    const average = predictionAverage(Int32Array.of(0), 2);
    average.draw(Float32Array.of(0, -2000));
    average.endChain();
    const { expectedEntropy, meanSingleModelNll, legacyNll: legacy } = average.result('ensemble');
    expect([expectedEntropy, meanSingleModelNll + 0, legacy]).toEqual([0, 0, 0]);
  });

  it('has no within-chain figure for single draws and no between-chain figure for a single chain', () => {
    const average = predictionAverage(Int32Array.of(0, 1, 0, 1), 2);
    average.draw(normals(8, 1));
    average.endChain();
    const prediction = average.result('ensemble');
    expect(prediction.disagreementWithin).toBeUndefined();
    expect(prediction.disagreementBetween).toBeUndefined();
  });
});

describe('predictSplit', () => {
  it.each([0, 1e9])('gives every image its own logits, also in a last batch that is not full, keeping %d bytes', async (keepBytes) => {
    const identity = { scale: 1, mean: [0], std: [1] };
    const batches = splitBatches({ split: dataset.test, normalisation: identity, batch: 7, keepBytes });
    const options = {
      predict: async (_: Tree, x: Tensor) =>
        tensor(
          Float32Array.from({ length: x.shape[0] ?? 0 }, (_unused, i) => x.dataSync()[i * 64 + 20] ?? 0),
          [x.shape[0] ?? 0, 1],
        ),
      params: [],
      batches,
    };
    const expected = Array.from({ length: dataset.test.count }, (_, i) => dataset.test.images[i * 64 + 20]);
    expect(Array.from(await predictSplit(options))).toEqual(expected);
    expect(Array.from(await predictSplit(options))).toEqual(expected);
  });
});

describe('chainPrograms', () => {
  // A linear softmax model with two classes: the gradient is known in closed form.
  const network: Network<Tree> = {
    init: () => ({ w: tensor([0.3, -0.2, 0.1, 0.4], [2, 2]) }),
    apply: (params, x) => matMul(x as never, treeLeaves(params)[0] as never),
    parameterCount: 4,
    inputShape: [2],
    outputs: 2,
  };
  const x = [
    [1, 2],
    [-1, 0.5],
  ];
  const y = [0, 1];
  const weights = [2, 0.5];
  const w0 = [
    [0.3, -0.2],
    [0.1, 0.4],
  ];

  function closedForm(reduction: 'mean' | 'sum', precision: number): number[] {
    const g = [0, 0, 0, 0];
    for (let m = 0; m < 2; m++) {
      const [a = 0, b = 0] = x[m] ?? [];
      const z = [0, 1].map((c) => a * (w0[0]?.[c] ?? 0) + b * (w0[1]?.[c] ?? 0));
      const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
      for (let c = 0; c < 2; c++) {
        const residual = Math.exp(z[c] ?? 0) / total - (y[m] === c ? 1 : 0);
        const scale = (weights[m] ?? 0) / (reduction === 'mean' ? 2 : 1);
        g[c] = (g[c] ?? 0) + scale * residual * a;
        g[2 + c] = (g[2 + c] ?? 0) + scale * residual * b;
      }
    }
    return g.map((value, i) => value + precision * (w0[Math.floor(i / 2)]?.[i % 2] ?? 0));
  }

  it.each([
    ['mean', undefined],
    ['sum', undefined],
    ['mean', 1],
    ['sum', 1],
  ] as const)('descends the %s energy plus ½ρ‖θ‖² with momentum, %s points at once', async (reduction, pointsAtOnce) => {
    const programs = chainPrograms({ network, runtime: eagerRuntime(), reduction, pointsAtOnce });
    const params = network.init(key(0));
    const velocity = { w: tensor([1, 0, 0, -1], [2, 2]) };
    const data = { x: tensor(x.flat(), [2, 2]), y: tensor([1, 0, 0, 1], [2, 2]), weights: tensor1d(weights) };
    const hyper = { stepSize: scalar(0.1), momentum: scalar(0.9), precision: scalar(0.7), temperature: scalar(0) };
    const next = await programs.descend({ params, velocity }, data, hyper);
    const g = closedForm(reduction, 0.7);
    const expectedVelocity = g.map((value, i) => value + 0.9 * ([1, 0, 0, -1][i] ?? 0));
    Array.from(await (treeLeaves(next.velocity)[0] as Tensor).data()).forEach((value, i) =>
      expect(value).toBeCloseTo(expectedVelocity[i] ?? 0, 5),
    );
    Array.from(await (treeLeaves(next.params)[0] as Tensor).data()).forEach((value, i) =>
      expect(value).toBeCloseTo((w0.flat()[i] ?? 0) - 0.1 * (expectedVelocity[i] ?? 0), 5),
    );
    await programs.dispose();
  });

  it('adds noise of variance 2λT in a Langevin step, and none at T = 0', async () => {
    const programs = chainPrograms({ network, runtime: eagerRuntime(), reduction: 'sum' });
    const params = network.init(key(0));
    const data = { x: tensor(x.flat(), [2, 2]), y: tensor([1, 0, 0, 1], [2, 2]), weights: tensor1d(weights) };
    const hyper = (temperature: number) => ({
      stepSize: scalar(0.1),
      momentum: scalar(0),
      precision: scalar(0.7),
      temperature: scalar(temperature),
    });
    const mean = w0.flat().map((value, i) => value - 0.1 * (closedForm('sum', 0.7)[i] ?? 0));
    const cold = await programs.langevin(key(1), params, data, hyper(0));
    Array.from(await (treeLeaves(cold)[0] as Tensor).data()).forEach((value, i) => expect(value).toBeCloseTo(mean[i] ?? 0, 5));
    let squares = 0;
    const draws = 500;
    for (let d = 0; d < draws; d++) {
      const warm = await programs.langevin(foldIn(key(2), d), params, data, hyper(0.5));
      (treeLeaves(warm)[0] as Tensor).dataSync().forEach((value, i) => {
        squares += (value - (mean[i] ?? 0)) ** 2;
      });
      disposeTree(warm);
    }
    // 2000 squares of variance 0.1: standard error 3.2 %.
    expect(squares / (4 * draws) / (2 * 0.1 * 0.5)).toBeGreaterThan(0.87);
    expect(squares / (4 * draws) / (2 * 0.1 * 0.5)).toBeLessThan(1.13);
    await programs.dispose();
  });
});

describe('predictFromCoreset', () => {
  const spec = { network: 'mlp', width: 8, depth: 1, inputShape: dataset.shape, classes: dataset.classes } as const;
  const network = buildNetwork(spec);

  async function predict(changes: Partial<typeof settings> = {}, seed = 1) {
    const start = initialCoreset(dataset, { init: 'nearest-mean', ipc: 1, seed: 0, labels: 'probabilities' });
    const coreset = await hostCoreset(start, 'probabilities');
    disposeTree(start);
    const programs = chainPrograms({ network, runtime: eagerRuntime(), reduction: 'mean' });
    const common = {
      network,
      programs,
      coreset,
      key: key(seed),
      batches: splitBatches({ split: dataset.test, normalisation: dataset.normalisation, batch: 32 }),
      labels: dataset.test.labels,
      shape: dataset.shape,
    };
    const prediction = await predictFromCoreset({ ...common, settings: { ...settings, ...changes } });
    await programs.dispose();
    return prediction;
  }

  it('is an ensemble at T = 0 and a posterior above, equal for equal keys, and leaks no tensor', async () => {
    const first = await predict();
    const { numTensors } = memory();
    expect(first.inference).toBe('ensemble');
    expect((await predict()).logProbabilities).toEqual(first.logProbabilities);
    expect((await predict({}, 2)).logProbabilities).not.toEqual(first.logProbabilities);
    const warm = await predict({ temperature: 1e-4, draws: 3, thinning: 2 });
    expect(warm.inference).toBe('posterior');
    expect(warm.disagreementWithin).toBeDefined();
    expect(memory().numTensors).toBe(numTensors);
  });

  it('learns from the coreset: a trained ensemble is far better than chance', async () => {
    const { metrics } = scorePrediction(await predict({ steps: 150, stepSize: 0.05 }), dataset.test);
    expect(metrics['accuracy']).toBeGreaterThan(0.6);
  });

  it('ends with an error that names the remedy when a chain diverges', async () => {
    await expect(predict({ steps: 60, stepSize: 1e30 })).rejects.toMatchObject({ code: 'NON_FINITE' });
  });
});

describe('initialCoreset', () => {
  it('refuses more images per class than the smallest class has, naming both numbers', () => {
    expect(() => checkImagesPerClass(dataset, 100_000)).toThrow(ConfigError);
    const sizes = Array.from({ length: 10 }, (_, c) => dataset.train.labels.filter((label) => label === c).length);
    expect(() => checkImagesPerClass(dataset, 100_000)).toThrow(String(Math.min(...sizes)));
    expect(() => checkImagesPerClass(dataset, Math.min(...sizes))).not.toThrow();
  });

  it('draws random images afresh for every seed, and the nearest-mean images for none', async () => {
    const pixels = async (init: 'random' | 'nearest-mean', seed: number) =>
      Array.from(await initialCoreset(dataset, { init, ipc: 2, seed, labels: 'probabilities' }).x.data());
    expect(await pixels('random', 0)).not.toEqual(await pixels('random', 1));
    expect(await pixels('random', 0)).toEqual(await pixels('random', 0));
    expect(await pixels('nearest-mean', 0)).toEqual(await pixels('nearest-mean', 1));
  });
});

describe('softmaxRows', () => {
  it('is the softmax of each row, also for large logits', () => {
    const rows = softmaxRows(Float32Array.of(1000, 1000, 0, Math.log(3)), 2);
    [0.5, 0.5, 0.25, 0.75].forEach((value, i) => expect(rows[i]).toBeCloseTo(value, 6));
  });
});

describe('drawCandidate', () => {
  it('starts with the base, stays inside the space, and repeats itself for a seed', () => {
    const { evaluation } = preset('mnist', 1);
    expect(drawCandidate(tuningSpace, evaluation, 0, 0)).toEqual(evaluation);
    for (let i = 1; i < 50; i++) {
      const candidate = drawCandidate(tuningSpace, evaluation, 0, i);
      expect(candidate).toEqual(drawCandidate(tuningSpace, evaluation, 0, i));
      expect(candidate.stepSize).toBeGreaterThanOrEqual(tuningSpace.stepSize[0] * 0.99);
      expect(candidate.stepSize).toBeLessThanOrEqual(tuningSpace.stepSize[1] * 1.01);
      expect(tuningSpace.steps).toContain(candidate.steps);
      expect(candidate.draws === 1).toBe(candidate.temperature === 0);
    }
  });
});
