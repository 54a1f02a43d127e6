import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, disposeTree, key, treeLeaves } from '@bpc/core';
import { memory } from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { getDataset } from '../src/data/get-dataset.js';
import { batchesPerEpoch, epochBatches } from '../src/experts/batches.js';
import { expertFileName } from '../src/experts/expert-file.js';
import { expertFiles } from '../src/experts/expert-source.js';
import { buildNetwork, type NetworkSpec } from '../src/experts/network.js';
import { type ExpertSettings, expertPoints, expertRecipe, trainExperts } from '../src/experts/train-experts.js';
import { type TaskPool, taskPool } from '../src/workers/index.js';

const dataset = await getDataset('digits', { shared: true });
const network: NetworkSpec = { network: 'mlp', width: 8, depth: 1, inputShape: dataset.shape, classes: dataset.classes };
const settings: ExpertSettings = {
  network,
  training: { epochs: 2, batch: 32, learningRate: 0.1, momentum: 0.9, weightDecay: 0, decay: 'constant', augment: 'none' },
  count: 2,
  images: 200,
  seed: 3,
};
const shared = { dataset, runtime: { family: 'tfjs', backend: 'cpu' }, threads: 1 };
const pools: TaskPool[] = [];

function pool(signal?: AbortSignal): TaskPool {
  const made = taskPool({ workers: 0, shared, ...(signal === undefined ? {} : { signal }) });
  pools.push(made);
  return made;
}

afterEach(async () => {
  for (const made of pools.splice(0)) await made.dispose();
});

const newFolder = () => mkdtempSync(join(tmpdir(), 'bpc-experts-'));
const bytesOf = (folder: string, expert: number) => readFileSync(join(folder, expertFileName(expert)));

async function train(folder: string, changes: Partial<ExpertSettings> = {}): Promise<string[]> {
  const warnings: string[] = [];
  await trainExperts({ ...settings, ...changes, dataset, pool: pool(), folder, warn: (message) => warnings.push(message) });
  return warnings;
}

describe('epochBatches', () => {
  it('visits every point at most once per epoch, in equal batches, in another order each epoch', () => {
    const points = Int32Array.from({ length: 70 }, (_, i) => 100 + i);
    const first = epochBatches(points, 32, key(1), 1);
    expect(first.map((batch) => batch.length)).toEqual([32, 32]);
    expect(new Set(first.flatMap((batch) => [...batch])).size).toBe(64);
    expect(epochBatches(points, 32, key(1), 1)).toEqual(first);
    expect(epochBatches(points, 32, key(1), 2)).not.toEqual(first);
  });

  it('makes one batch of fewer points than a batch', () => {
    expect(batchesPerEpoch(5, 32)).toBe(1);
    expect(epochBatches(Int32Array.of(1, 2, 3), 32, key(1), 1).map((batch) => batch.length)).toEqual([3]);
  });
});

describe('trainExperts', () => {
  it('gives each expert weights that depend on seed and number only, not on which others are trained', async () => {
    const [together, alone] = [newFolder(), newFolder()];
    await train(together);
    await train(alone, { count: 1 });
    expect(bytesOf(alone, 0).equals(bytesOf(together, 0))).toBe(true);
    expect(bytesOf(together, 1).equals(bytesOf(together, 0))).toBe(false);
    const otherSeed = newFolder();
    await train(otherSeed, { count: 1, seed: 4 });
    expect(bytesOf(otherSeed, 0).equals(bytesOf(together, 0))).toBe(false);
  });

  it('keeps valid files, and trains a truncated one again to the same bytes, with a warning', async () => {
    const folder = newFolder();
    await train(folder);
    const before = [bytesOf(folder, 0), bytesOf(folder, 1)];
    expect(await train(folder)).toEqual([]);
    writeFileSync(join(folder, expertFileName(1)), before[1]?.subarray(0, 500) ?? '');
    const warnings = await train(folder);
    expect(warnings.join()).toContain(expertFileName(1));
    expect([bytesOf(folder, 0), bytesOf(folder, 1)]).toEqual(before);
    expect(readdirSync(folder)).toEqual([expertFileName(0), expertFileName(1)]);
  });

  it('refuses a folder with experts of other settings', async () => {
    const folder = newFolder();
    await train(folder, { count: 1 });
    await expect(train(folder, { count: 1, images: 100 })).rejects.toThrow(CheckpointError);
  });

  it('leaves no file when it is aborted, and throws an interruption', async () => {
    const folder = newFolder();
    const abort = new AbortController();
    const phase = { update: () => abort.abort(), finish: () => undefined, stop: () => undefined };
    const run = trainExperts({
      ...settings,
      training: { ...settings.training, epochs: 50 },
      dataset,
      pool: pool(abort.signal),
      folder,
      warn: () => undefined,
      progress: () => phase,
    });
    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('draws its images from the training split alone, without repetition', () => {
    const points = expertPoints(dataset.train, 200, 3);
    expect(points.length).toBe(200);
    expect(new Set(points).size).toBe(200);
    expect(Math.max(...points)).toBeLessThan(dataset.train.count);
    expect(expertPoints(dataset.train, 10 ** 6, 3).length).toBe(dataset.train.count);
  });
});

describe('expertFiles', () => {
  it('loads the initialisation as snapshot 0 and trained weights after it, without leaking tensors', async () => {
    const folder = newFolder();
    await train(folder);
    const like = buildNetwork(network).init(key(0));
    const source = expertFiles({ folder, count: 2, epochs: 2, recipe: expertRecipe(settings, 'digits'), like, cached: 1 });
    expect(source.epochs).toBe(3);
    const { numTensors } = memory();
    const first = await source.load(0, 0);
    const last = await source.load(0, 2);
    expect(memory().numTensors).toBe(numTensors + 2 * treeLeaves(like).length);
    const bound = 1 / Math.sqrt(64);
    const initial = Array.from((await (treeLeaves(first).find((leaf) => leaf.shape[0] === 64) ?? treeLeaves(first)[0])?.data()) ?? []);
    // Fresh weights of a layer with 64 inputs are uniform on ±1/8.
    expect(Math.max(...initial.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Array.from((await treeLeaves(last)[0]?.data()) ?? [])).not.toEqual(Array.from((await treeLeaves(first)[0]?.data()) ?? []));
    disposeTree([first, last, like]);
  });

  it('says which file is missing', async () => {
    const like = buildNetwork(network).init(key(0));
    const source = expertFiles({ folder: newFolder(), count: 1, epochs: 2, recipe: {}, like });
    await expect(source.load(0, 0)).rejects.toThrow(expertFileName(0));
    disposeTree(like);
  });
});
