import { type Coreset, disposeTree, key } from '@bpc/core';
import '@tensorflow/tfjs-backend-cpu';
import { softmax, tensor, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { methodNames, type Overrides, type RunConfig, resolveConfig } from '../src/config/index.js';
import type { Dataset } from '../src/data/dataset.js';
import { getDataset } from '../src/data/get-dataset.js';
import { toFloat } from '../src/data/to-float.js';
import { coresetOptimizer } from '../src/methods/coreset-optimizer.js';
import { checkMethod, evaluatedCoreset, makeMethod, methodTraits, realBatches, startWeight } from '../src/methods/index.js';
import { refusal } from './refusal.js';

const digits = await getDataset('digits');
const configOf = (flags: Overrides): RunConfig => resolveConfig({ flags: { dataset: 'digits', ...flags } });

/** A data set of 2×2 images whose pixels are their index, with so many images per class. */
function tiny(sizes: readonly number[]): Dataset {
  const labels = Int32Array.from(sizes.flatMap((size, c) => Array.from({ length: size }, () => c)));
  const images = Uint8Array.from({ length: 4 * labels.length }, (_, i) => Math.floor(i / 4));
  const split = <R extends 'train' | 'validation' | 'test'>(role: R) => ({
    ...{ role, count: labels.length, shape: [2, 2, 1] as const, images, labels },
  });
  return {
    name: 'tiny',
    shape: [2, 2, 1],
    classes: sizes.length,
    classNames: sizes.map((_, c) => `class ${c}`),
    train: split('train'),
    validation: split('validation'),
    test: split('test'),
    normalisation: { scale: 255, mean: [0], std: [1] },
  };
}

describe('makeMethod', () => {
  it.each(methodNames)('gives %s the real data and the earlier snapshot that its divergence asks for', (method) => {
    const config = configOf({ method });
    const made = makeMethod(config, { trainCount: 100, startWeight: 1 });
    expect(made.needs.realBatch > 0).toBe(made.divergence.requires.real);
    if (made.divergence.requires.start === true) expect(made.needs.epochsAhead).toBeGreaterThan(0);
    expect(made.learnable).toEqual({ x: true, y: false, weights: method === 'psvi' });
    expect(made.project === undefined).toBe(method !== 'psvi');
  });

  it.each(methodNames)('learns labels and weights by %s when asked to, weights kept from going below zero', (method) => {
    const { learnable, project } = makeMethod(configOf({ method, learnLabels: true, learnWeights: true }), {
      trainCount: 100,
      startWeight: 1,
    });
    expect(learnable).toEqual({ x: true, y: true, weights: true });
    const coreset: Coreset = { x: tensor([[1]]), y: tensor([[1]]), weights: tensor1d([-2]) };
    const kept = project?.(coreset);
    expect(Array.from(kept?.weights.dataSync() ?? [])).toEqual([0]);
    disposeTree(kept);
    disposeTree(coreset);
  });

  it('keeps a state only where something goes on from step to step', () => {
    const stateful = (flags: Overrides) => makeMethod(configOf(flags), { trainCount: 100, startWeight: 1 }).divergence.init !== undefined;
    expect(stateful({ method: 'bpc-w', stepSizeLearningRate: 1e-5 })).toBe(true);
    expect(stateful({ method: 'bpc-w', stepSizeLearningRate: 0 })).toBe(false);
    expect(stateful({ method: 'bpc-cd', persistent: true })).toBe(true);
    expect(stateful({ method: 'bpc-cd' })).toBe(false);
    expect(stateful({ method: 'bpc-rkl' })).toBe(false);
  });

  it('starts draws at the expert itself where it is no epochs ahead', () => {
    const method = makeMethod(configOf({ method: 'bpc-rkl', epochsAhead: 0 }), { trainCount: 100, startWeight: 1 });
    expect(method.divergence.requires.start).toBe(false);
  });
});

describe('startWeight', () => {
  it('is N/M for weights that count training images, so that they add up to N', () => {
    const config = configOf({ method: 'psvi', ipc: 5 });
    expect(5 * digits.classes * startWeight(config, digits)).toBeCloseTo(digits.train.count, 9);
    for (const method of methodNames.filter((name) => name !== 'psvi')) expect(startWeight(configOf({ method }), digits)).toBe(1);
  });
});

describe('realBatches', () => {
  const source = realBatches(digits, { size: 32, labels: 'probabilities' });

  it('says how many training images there are, and draws equal batches from equal keys', async () => {
    expect(source.count).toBe(digits.train.count);
    const [a, b, c] = [await source.draw(key(1)), await source.draw(key(1)), await source.draw(key(2))];
    expect(a.x.shape).toEqual([32, 8, 8, 1]);
    expect(a.y.shape).toEqual([32, 10]);
    expect(a.x.dataSync()).toEqual(b.x.dataSync());
    expect(a.y.dataSync()).toEqual(b.y.dataSync());
    expect(a.x.dataSync()).not.toEqual(c.x.dataSync());
    disposeTree([a, b, c]);
  });

  it('takes every image once where the batch is the whole split, with its own label', async () => {
    const data = tiny([40, 20, 4]);
    const { x, y } = await realBatches(data, { size: 64, labels: 'probabilities' }).draw(key(3));
    const order = Array.from({ length: 64 }, (_, i) => Math.round(255 * (x.dataSync()[4 * i] ?? -1)));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i));
    expect(order).not.toEqual(Array.from({ length: 64 }, (_, i) => i));
    expect(x.dataSync()).toEqual(toFloat(data.train, order, data.normalisation));
    const rows = y.dataSync();
    order.forEach((index, i) => {
      expect(Array.from(rows.subarray(3 * i, 3 * i + 3))).toEqual([0, 1, 2].map((c) => Number(c === data.train.labels[index])));
    });
    disposeTree({ x, y });
  });

  it('has classes as often as an imbalanced data set has them', async () => {
    const few = realBatches(tiny([180, 15, 5]), { size: 20, labels: 'probabilities' });
    const counts = [0, 0, 0];
    for (let i = 0; i < 200; i++) {
      const { x, y } = await few.draw(key(i));
      y.dataSync().forEach((value, at) => {
        counts[at % 3] = (counts[at % 3] ?? 0) + value;
      });
      disposeTree({ x, y });
    }
    // 4000 draws; the standard deviation of a share is below 0.005, and smaller without replacement.
    [0.9, 0.075, 0.025].forEach((share, c) => {
      expect((counts[c] ?? 0) / 4000).toBeGreaterThan(share - 0.02);
      expect((counts[c] ?? 0) / 4000).toBeLessThan(share + 0.02);
    });
  });

  it('gives labels as logits that softmax turns into the labels themselves', async () => {
    const [a, b] = await Promise.all([source.draw(key(1)), realBatches(digits, { size: 32, labels: 'logits' }).draw(key(1))]);
    const probabilities = softmax(b.y);
    const [found, expected] = [probabilities.dataSync(), a.y.dataSync()];
    expected.forEach((value, i) => expect(Math.abs((found[i] ?? Number.NaN) - value)).toBeLessThan(1e-16));
    disposeTree([a, b, { probabilities }]);
  });
});

describe('coresetOptimizer', () => {
  const settings = { imageLearningRate: 2, labelLearningRate: 3, weightLearningRate: 0.01, momentum: 0 } as const;
  const grads = { x: tensor1d([1]), y: tensor1d([1]), weights: tensor1d([0.5]) };
  const updates = (optimizer: 'sgd' | 'adam', startWeight: number) => {
    const made = coresetOptimizer({ ...settings, optimizer }, startWeight);
    const state = made.init(grads);
    const { updates: moved } = made.update(grads, state, grads);
    return [moved.x, moved.y, moved.weights].map((leaf) => leaf.dataSync()[0] ?? Number.NaN);
  };

  it('moves each part at its own rate', () => {
    expect(updates('sgd', 1)).toEqual([-2, -3, -0.005].map(Math.fround));
    updates('adam', 1).forEach((value, i) => expect(value).toBeCloseTo([-2, -3, -0.01][i] ?? 0, 5));
  });

  it('moves weights as shares of their start: descent on v = w/w₀ is that on w with ηw₀², Adam with ηw₀', () => {
    const start = 40;
    // By hand: v ← v − η ∂L/∂v with ∂L/∂v = w₀ ∂L/∂w, so that w = w₀v moves by −η w₀² ∂L/∂w.
    expect(updates('sgd', start)[2]).toBeCloseTo(-0.01 * start * (start * 0.5), 4);
    expect(updates('adam', start)[2]).toBeCloseTo(-0.01 * start, 4);
    expect(updates('sgd', start).slice(0, 2)).toEqual([-2, -3]);
  });
});

describe('evaluatedCoreset', () => {
  const coreset = (weights: readonly number[]) => ({
    x: new Float32Array(4 * weights.length),
    inputShape: [2, 2, 1],
    y: new Float32Array(2 * weights.length),
    classes: 2,
    weights: Float32Array.from(weights),
  });

  it('scales weights to a mean of 1 for a mean energy, keeping their shares', () => {
    const { weights } = evaluatedCoreset(coreset([5500, 11000, 0, 5500]), { reduction: 'mean' });
    expect(Array.from(weights)).toEqual([1, 2, 0, 1]);
  });

  it('leaves weights alone for a sum, and weights of 1 always', () => {
    const counted = coreset([5500, 11000]);
    expect(evaluatedCoreset(counted, { reduction: 'sum' })).toBe(counted);
    const ones = coreset([1, 1, 1]);
    expect(evaluatedCoreset(ones, { reduction: 'mean' })).toBe(ones);
  });
});

describe('checkMethod', () => {
  it('refuses a data set with a class missing, naming it', () => {
    const error = refusal(() => checkMethod(configOf({ ipc: 1 }), tiny([3, 0, 2])));
    expect(error.message).toContain('class 1 of tiny has no training images');
    expect(error.remedy).toContain('add images');
  });

  it('refuses more images per class than the smallest class has', () => {
    const error = refusal(() => checkMethod(configOf({ ipc: 2 }), tiny([30, 1, 20])));
    expect(error.message).toContain('class 1 of tiny has only 1 training image');
    expect(error.remedy).toContain('--ipc 1');
  });

  it.each(['bpc-rkl', 'psvi'])('refuses a real batch of %s larger than the training set', (method) => {
    const error = refusal(() => checkMethod(configOf({ method, realBatch: 51 }), tiny([30, 20])));
    expect(error.message).toContain('realBatch is 51');
    expect(error.remedy).toContain('--real-batch 50');
    expect(() => checkMethod(configOf({ method, realBatch: 50 }), tiny([30, 20]))).not.toThrow();
  });

  it('does not ask for real images where none are looked at', () => {
    expect(() => checkMethod(configOf({ method: 'bpc-cd', realBatch: 1000 }), tiny([3, 2]))).not.toThrow();
  });

  it('accepts imbalanced classes', () => {
    for (const method of methodNames) expect(() => checkMethod(configOf({ method, realBatch: 8, ipc: 2 }), tiny([300, 2]))).not.toThrow();
  });
});

describe('methodTraits', () => {
  it.each(methodNames)('of %s agree with its divergence', (method) => {
    const { divergence } = makeMethod(configOf({ method }), { trainCount: 100, startWeight: 1 });
    expect(methodTraits[method].real).toBe(divergence.requires.real);
  });
});
