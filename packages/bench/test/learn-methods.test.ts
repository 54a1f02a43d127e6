import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSafetensors, InterruptedError } from '@bpc/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { methodNames, type Overrides, type RunConfig, resolveConfig } from '../src/config/index.js';
import type { Dataset } from '../src/data/dataset.js';
import { getDataset } from '../src/data/get-dataset.js';
import type { HostCoreset } from '../src/evaluation/host-coreset.js';
import { networkSpec } from '../src/experts/network.js';
import { expertRecipe, trainExperts } from '../src/experts/train-experts.js';
import { expertSettings } from '../src/learning/experts-phase.js';
import type { LearnTaskOptions } from '../src/learning/learn-task.js';
import { coresetFile, readLearned } from '../src/learning/learned-files.js';
import { startCoresets } from '../src/learning/rows.js';
import { moduleUrl, taskPool } from '../src/workers/index.js';

const newFolder = () => mkdtempSync(join(tmpdir(), 'bpc-methods-'));
const digits = await getDataset('digits', { shared: true });

/** All images of class 0, and twenty of each other class. */
function imbalanced({ train, ...rest }: Dataset): Dataset {
  const seen = new Uint32Array(10);
  const keep = Array.from({ length: train.count }, (_, i) => i).filter((i) => {
    const label = train.labels[i] ?? 0;
    seen[label] = (seen[label] ?? 0) + 1;
    return label === 0 || (seen[label] ?? 0) <= 20;
  });
  const size = 64;
  const images = new Uint8Array(new SharedArrayBuffer(keep.length * size));
  keep.forEach((from, to) => images.set(train.images.subarray(from * size, (from + 1) * size), to * size));
  const labels = Int32Array.from(keep, (i) => train.labels[i] ?? 0);
  return { ...rest, train: { ...train, count: keep.length, images, labels } };
}

const configOf = (flags: Overrides): RunConfig =>
  resolveConfig({
    flags: {
      ...{ dataset: 'digits', network: 'mlp', width: 12, depth: 1, experts: 2, expertEpochs: 2, expertImages: 200 },
      ...{ steps: 6, innerSteps: 3, checkpointEvery: 2, seeds: 1, realBatch: 40 },
      ...flags,
    },
  });

const expertFolder = newFolder();
const poolOf = (dataset: Dataset, signal?: AbortSignal) =>
  taskPool({ workers: 0, shared: { dataset, runtime: { family: 'js' }, threads: 1 }, ...(signal === undefined ? {} : { signal }) });

beforeAll(async () => {
  const config = configOf({});
  const pool = poolOf(digits);
  const settings = expertSettings(config, networkSpec(config, digits));
  await trainExperts({ ...settings, dataset: digits, pool, folder: expertFolder, warn: () => undefined });
  await pool.dispose();
}, 60_000);

interface LearnOptions {
  readonly folder?: string;
  readonly dataset?: Dataset;
  /** Aborts as soon as so many steps are done. */
  readonly abortAt?: number;
}

/** Learns one seed as `bpc learn` does, in this thread. */
async function learned(config: RunConfig, { folder = newFolder(), dataset = digits, abortAt }: LearnOptions = {}) {
  const network = networkSpec(config, dataset);
  const recipe = expertRecipe(expertSettings(config, network), 'digits');
  const controller = new AbortController();
  const pool = poolOf(dataset, controller.signal);
  const options: LearnTaskOptions = { config, network, seed: 0, expertFolder, recipe, folder, allowInexact: false };
  try {
    await pool.run([{ module: moduleUrl('../src/learning/learn-task.js', import.meta.url), export: 'learnTask', options }], {
      onProgress: (_, { done }) => {
        if (done === abortAt) controller.abort();
      },
    });
  } finally {
    await pool.dispose();
  }
  const result = await readLearned(folder, 0, dataset);
  if (result === undefined) throw new Error('nothing was learned');
  return { ...result, folder };
}

const sum = (values: Float32Array): number => values.reduce((a, b) => a + b, 0);
const moved = (a: Float32Array, b: Float32Array): boolean => a.some((value, i) => value !== b[i]);

describe.each(methodNames)('%s on digits', (method) => {
  let start: HostCoreset;
  beforeAll(async () => {
    start = (await startCoresets(digits, configOf({ method }), 0)).init;
  });

  it('moves the images by finite steps, and weights only where the method learns them', async () => {
    const { coreset, curve } = await learned(configOf({ method }));
    expect(coreset.x.every(Number.isFinite)).toBe(true);
    expect(moved(coreset.x, start.x)).toBe(true);
    expect(moved(coreset.weights, start.weights)).toBe(method === 'psvi');
    expect(curve.points.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  }, 60_000);

  it('learns labels that stay probabilities and weights that stay non-negative when asked to', async () => {
    const config = configOf({ method, learnLabels: true, learnWeights: true, labelLearningRate: 10, weightLearningRate: 0.5 });
    const from = (await startCoresets(digits, config, 0)).init;
    const { coreset } = await learned(config);
    expect(moved(coreset.y, from.y)).toBe(true);
    expect(moved(coreset.weights, from.weights)).toBe(true);
    expect(coreset.weights.every((weight) => weight >= 0)).toBe(true);
    for (let point = 0; point < 10; point++) expect(sum(coreset.y.subarray(10 * point, 10 * point + 10))).toBeCloseTo(1, 5);
  }, 60_000);

  it('learns from imbalanced classes', async () => {
    const dataset = imbalanced(digits);
    const { coreset } = await learned(configOf({ method, ipc: 2 }), { dataset });
    expect(coreset.x.every(Number.isFinite)).toBe(true);
    // Points are balanced whatever the data are; weights of PSVI still add up to about N.
    if (method === 'psvi')
      expect(sum((await startCoresets(dataset, configOf({ method, ipc: 2 }), 0)).init.weights)).toBeCloseTo(dataset.train.count, 2);
  }, 60_000);
});

describe('methods with a state', () => {
  // A learning rate so high that the step size visibly leaves its start.
  const stateful: readonly (readonly [string, Overrides])[] = [
    ['bpc-w with a learned step size', { method: 'bpc-w', stepSizeLearningRate: 1e-2 }],
    ['bpc-cd with a persistent chain', { method: 'bpc-cd', persistent: true }],
  ];

  it.each(stateful)(
    '%s, interrupted and continued, ends with the same bits',
    async (_, flags) => {
      const config = configOf({ ...flags, expertsPerStep: 2 });
      const whole = await learned(config);
      for (const abortAt of [1, 4]) {
        const folder = newFolder();
        await expect(learned(config, { folder, abortAt })).rejects.toThrow(InterruptedError);
        const { bytes } = await learned(config, { folder });
        expect(Buffer.from(bytes).equals(Buffer.from(whole.bytes))).toBe(true);
      }
    },
    60_000,
  );

  it('keeps the learned step size in the checkpoint, where it has moved', async () => {
    const config = configOf({ method: 'bpc-w', stepSizeLearningRate: 1e-2 });
    const { folder } = await learned(config);
    const { tensors } = decodeSafetensors(new Uint8Array(readFileSync(join(folder, 'checkpoint.safetensors'))));
    const name = [...tensors.keys()].find((path) => path.endsWith('stepSize'));
    const found = tensors.get(name ?? '')?.data[0];
    expect(found).toBeGreaterThan(0);
    expect(found).not.toBe(Math.fround(config.stepSize));
    // The state is what the images depend on: without it they are others.
    const fixed = await learned(configOf({ method: 'bpc-w', stepSizeLearningRate: 0 }));
    const other = await readLearned(folder, 0, digits);
    expect(moved(fixed.coreset.x, other?.coreset.x ?? new Float32Array(0))).toBe(true);
  }, 60_000);
});

describe('psvi', () => {
  it('starts every coreset that is compared at N/M, and publishes weights in that unit', async () => {
    const config = configOf({ method: 'psvi' });
    for (const coreset of Object.values(await startCoresets(digits, config, 0)))
      expect(sum(coreset.weights)).toBeCloseTo(digits.train.count, 2);
    const { folder, coreset } = await learned(config);
    const { tensors } = decodeSafetensors(new Uint8Array(readFileSync(coresetFile(folder))));
    expect(tensors.get('weights')?.data).toEqual(coreset.weights);
    expect(sum(coreset.weights)).toBeGreaterThan(digits.train.count / 2);
  }, 60_000);
});
