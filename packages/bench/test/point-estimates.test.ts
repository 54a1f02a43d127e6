import { jsRuntime } from '@bpc/compiler';
import { foldIn, hostPermutation, InterruptedError, key, type Network, normal, type Tree, treeLeaves } from '@bpc/core';
import '@tensorflow/tfjs-backend-cpu';
import { env, matMul, memory, reshape, type Tensor2D } from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { type EvaluationConfig, evaluationBase, evaluationFor } from '../src/config/index.js';
import { makeSplit } from '../src/data/dataset.js';
import { chainPrograms } from '../src/evaluation/chain-programs.js';
import type { HostCoreset } from '../src/evaluation/host-coreset.js';
import { isPastHalfway } from '../src/evaluation/learning-rate.js';
import { pointEstimates } from '../src/evaluation/point-estimates.js';
import { inferenceOf, protocolNote } from '../src/evaluation/protocol-note.js';
import { pointEstimateScore, scorePrediction } from '../src/evaluation/score.js';
import { splitBatches } from '../src/evaluation/split-batches.js';
import { summariseScores } from '../src/evaluation/summarise-scores.js';

env().set('PROD', true);

const network: Network<Tree> = {
  init: (own) => ({ w: normal(own, [1, 2]) }),
  apply: (params, x) => matMul(reshape(x, [-1, 1]) as Tensor2D, treeLeaves(params)[0] as Tensor2D),
  parameterCount: 2,
  inputShape: [1, 1, 1],
  outputs: 2,
};
const pixels = [1.5, -0.5, 2, 0.25, -1];
const classes = [0, 1, 1, 0, 1];
const coreset: HostCoreset = {
  x: Float32Array.from(pixels),
  inputShape: [1, 1, 1],
  y: Float32Array.from(classes.flatMap((c) => (c === 0 ? [1, 0] : [0, 1]))),
  classes: 2,
  weights: new Float32Array(5).fill(1),
};
const labels = Uint8Array.of(0, 1, 0, 1);
const split = makeSplit('test', { images: Uint8Array.of(0, 1, 2, 3), labels }, { shape: [1, 1, 1], classes: 2, indices: [0, 1, 2, 3] });
const inputs = [0, 1, 2, 3];

const programs = chainPrograms({ network, runtime: jsRuntime(), reduction: 'mean' });
afterAll(() => programs.dispose());

const released = evaluationFor(evaluationBase, { protocol: 'point-estimate' }, 'none');

const predict = (changes: Partial<EvaluationConfig>, extra: { readonly signal?: AbortSignal; readonly onProgress?: () => void } = {}) =>
  pointEstimates({
    network,
    programs,
    coreset,
    settings: { ...released, ...changes },
    key: key(3),
    batches: splitBatches({ split, normalisation: { scale: 1, mean: [0], std: [1] }, batch: 4 }),
    labels: split.labels,
    shape: [1, 1, 1],
    ...extra,
  });

/** The recipe by hand: PyTorch's SGD on batches of mean cross-entropy, a new optimiser at the lower rate. */
async function byHand({ chains, steps, batch, stepSize }: EvaluationConfig): Promise<number[][]> {
  const found: number[][] = [];
  for (let n = 0; n < chains; n++) {
    const own = foldIn(key(3), n);
    const start = treeLeaves(network.init(foldIn(own, 0)))[0];
    let w = Array.from((await start?.data()) ?? []);
    let v = [0, 0];
    const last = steps - 1;
    const schedule = Math.floor(last / 2) + 1;
    let rate = stepSize;
    for (let epoch = 0; epoch < steps; epoch++) {
      const order = batch >= 5 ? [0, 1, 2, 3, 4] : Array.from(hostPermutation(foldIn(foldIn(own, 1), epoch), 5));
      for (let from = 0; from < 5; from += batch) {
        const chosen = order.slice(from, from + batch);
        const g = w.map((value) => 5e-4 * value);
        for (const m of chosen) {
          const x = pixels[m] ?? 0;
          const exps = w.map((value) => Math.exp(value * x));
          const total = exps.reduce((a, b) => a + b, 0);
          exps.forEach((e, c) => {
            g[c] = (g[c] ?? 0) + ((e / total - (classes[m] === c ? 1 : 0)) * x) / chosen.length;
          });
        }
        v = v.map((value, c) => 0.9 * value + (g[c] ?? 0));
        w = w.map((value, c) => value - rate * (v[c] ?? 0));
      }
      if (epoch === schedule) {
        rate *= 0.1;
        v = [0, 0];
      }
    }
    found.push(inputs.map((x) => 1 / (1 + Math.exp(((w[1] ?? 0) - (w[0] ?? 0)) * x))));
  }
  return found;
}

describe('pointEstimates', () => {
  it.each([256, 2])('trains like the released code, batch %d', async (batch) => {
    const changes = { chains: 3, steps: 9, batch, stepSize: 0.4 };
    const predictions = await predict(changes);
    const expected = await byHand({ ...released, ...changes });
    predictions.forEach(({ logProbabilities }, n) => {
      inputs.forEach((_, i) => expect(Math.exp(logProbabilities[2 * i] ?? 0)).toBeCloseTo(expected[n]?.[i] ?? Number.NaN, 5));
    });
    expect(predictions.map(({ inference }) => inference)).toEqual(Array(3).fill('point estimates'));
  });

  it('lowers the learning rate of 1001 epochs after the 502nd, where the released code does', () => {
    expect(Array.from({ length: 1001 }, (_, epoch) => epoch).find((epoch) => isPastHalfway(epoch, 1001))).toBe(502);
  });

  it('repeats itself, stops at an abort and leaks no tensor', async () => {
    const first = await predict({ steps: 20 });
    const { numTensors } = memory();
    expect(await predict({ steps: 20 })).toEqual(first);
    const stop = new AbortController();
    await expect(predict({}, { signal: stop.signal, onProgress: () => stop.abort() })).rejects.toBeInstanceOf(InterruptedError);
    expect(memory().numTensors).toBe(numTensors);
  });

  it('ends with a remedy when a training diverges', async () => {
    await expect(predict({ steps: 60, stepSize: 1e38 })).rejects.toMatchObject({
      code: 'NON_FINITE',
      remedy: expect.stringContaining('stepSize'),
    });
  });
});

describe('scores of point estimates', () => {
  it('are means over networks that were each scored alone, and a row has their standard deviation, not that of seeds', async () => {
    const scores = await Promise.all(
      [0.2, 0.9].map(async (stepSize) =>
        pointEstimateScore((await predict({ steps: 3, stepSize, chains: 4 })).map((p) => scorePrediction(p, split))),
      ),
    );
    const singles = scores.flatMap(({ networks = [] }) => networks.map(({ metrics }) => metrics['nll'] ?? Number.NaN));
    expect(singles.length).toBe(8);
    const mean = singles.reduce((a, b) => a + b, 0) / 8;
    const row = summariseScores(scores);
    expect(row).toMatchObject({ inference: 'point estimates', networks: 4 });
    expect(row.metrics['nll']?.mean).toBeCloseTo(mean, 12);
    expect(row.metrics['nll']?.std).toBeCloseTo(Math.sqrt(singles.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 8), 12);
    expect(row.metrics['nll']?.n).toBe(8);
    expect(scores[0]?.metrics['nll']).toBeCloseTo(singles.slice(0, 4).reduce((a, b) => a + b, 0) / 4, 12);
    // A single network has nothing to average: all three likelihoods are one.
    expect(scores[0]?.metrics['meanSingleModelNll']).toBeCloseTo(scores[0]?.metrics['nll'] ?? Number.NaN, 10);
    expect(scores[0]?.metrics['mutualInformation']).toBeCloseTo(0, 10);
  });

  it('are called point estimates, and nothing else, in words', () => {
    expect(inferenceOf(released)).toBe('point estimates');
    const note = protocolNote(inferenceOf(released), released, { prior: 'no prior', weights: 'weights 1' });
    expect(note).toMatch(
      /^point estimates: 5 networks, each trained for 1001 epochs \(SGD, learning rate 0\.01, momentum 0\.9, weight decay 0\.0005, batch 256, /,
    );
    expect(note).toContain('best iteration on the test set');
    expect(note).not.toMatch(/posterior|ensemble/);
  });
});
