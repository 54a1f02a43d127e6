import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { jsRuntime } from '@bpc/compiler';
import { ConfigError, disposeTree, eagerRuntime, ensureHostBackend, key, normal, type Runtime, treeLeaves } from '@bpc/core';
import { memory, setBackend, tensor } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { getDataset } from '../src/data/get-dataset.js';
import { toFloat } from '../src/data/to-float.js';
import { buildNetwork, type NetworkSpec } from '../src/experts/network.js';
import { type ExpertSettings, expertRecipe, trainExperts } from '../src/experts/train-experts.js';
import { trainNetwork } from '../src/experts/train-network.js';
import { type TrainingSettings, trainingProgram } from '../src/experts/training-program.js';
import { initialCoreset } from '../src/learning/initial-coreset.js';
import { readCoreset } from '../src/learning/learned-files.js';
import { networkFeatures, pixelFeatures, recordForgetting, selectCoreset, selectPoints } from '../src/selection/index.js';
import type { SelectionTaskOptions } from '../src/selection/selection-task.js';
import { moduleUrl, type TaskPool, taskPool } from '../src/workers/index.js';

ensureHostBackend();
const dataset = await getDataset('digits', { shared: true });
const { train, classes } = dataset;
const network: NetworkSpec = { network: 'mlp', width: 12, depth: 1, inputShape: dataset.shape, classes };
const training: TrainingSettings = {
  epochs: 2,
  batch: 100,
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 0,
  decay: 'constant',
  augment: 'none',
};
const pools: TaskPool[] = [];

beforeAll(async () => {
  await setBackend('cpu');
});

afterEach(async () => {
  for (const made of pools.splice(0)) await made.dispose();
});

/** Mean over classes of the distance between the class's mean pixels and those of the chosen images of it. */
function discrepancy(images: Float32Array, perClass: number): number {
  const size = 64;
  let total = 0;
  for (let label = 0; label < classes; label++) {
    const members = Array.from(train.labels.keys()).filter((i) => train.labels[i] === label);
    const all = toFloat(train, members, dataset.normalisation);
    const meanOf = (values: Float32Array) =>
      Array.from({ length: size }, (_, j) => values.filter((_v, i) => i % size === j).reduce((a, b) => a + b, 0) / (values.length / size));
    const [mu, own] = [meanOf(all), meanOf(images.subarray(label * perClass * size, (label + 1) * perClass * size))];
    total += Math.hypot(...mu.map((m, j) => m - (own[j] ?? 0))) / classes;
  }
  return total;
}

describe('selectCoreset', () => {
  it('herds images whose class means are nearer to those of the data than random and nearest-mean images are', async () => {
    const ipc = 5;
    const herded = await selectCoreset({ dataset, ipc, rule: 'herding', features: pixelFeatures(dataset) });
    expect(herded.weights.length).toBe(50);
    const reached = discrepancy(herded.x, ipc);
    for (const init of ['random', 'nearest-mean'] as const) {
      const control = initialCoreset(dataset, { init, ipc, seed: 1, labels: 'probabilities' });
      expect(reached).toBeLessThan(discrepancy(Float32Array.from(await control.x.data()), ipc) / 1.5);
      disposeTree(control);
    }
    herded.y.forEach((p, i) => expect(p).toBe(i % classes === Math.floor(i / classes / ipc) ? 1 : 0));
  });

  it('refuses more images than the smallest class has', async () => {
    await expect(selectCoreset({ dataset, ipc: 500, rule: 'k-center', features: pixelFeatures(dataset) })).rejects.toThrow(ConfigError);
  });
});

describe('networkFeatures', () => {
  it('are what the last layer of the network sees, whatever the batches, without leaking tensors', async () => {
    const built = buildNetwork(network);
    const params = built.init(key(3));
    const indices = Int32Array.from({ length: 23 }, (_, i) => 7 * i);
    const x = tensor(toFloat(train, indices, dataset.normalisation), [23, 8, 8, 1]);
    const expected = built.features(params, x);
    const { numTensors } = memory();
    const source = networkFeatures({ dataset, network: built, params, runtime: eagerRuntime(), batch: 10 });
    const found = await source.read(indices);
    await source.dispose();
    expect(memory().numTensors).toBe(numTensors);
    expect(source.size).toBe(12);
    const values = await expected.data();
    expect(found.length).toBe(values.length);
    found.forEach((value, i) => expect(value).toBeCloseTo(values[i] ?? Number.NaN, 4));
    disposeTree([params, x, expected]);
  });
});

describe('recordForgetting', () => {
  it('of a network that learns nothing has no events, and never learned what the network gets wrong', async () => {
    const built = buildNetwork(network);
    const frozen = { ...training, epochs: 3, learningRate: 0 };
    const runtime = eagerRuntime();
    const options = { dataset, network: built, runtime, training: frozen, seed: 1 };
    const whole = await recordForgetting({ ...options, imagesPerRun: 100 });
    expect(whole.counts.every((count) => count === 0)).toBe(true);
    const learned = whole.neverLearned.filter((never) => never === 0).length / train.count;
    expect(learned).toBeGreaterThan(0.01);
    expect(learned).toBeLessThan(0.4);
    // In pieces, the same visits.
    expect(await recordForgetting({ ...options, imagesPerRun: 25 })).toEqual(whole);
  });

  it('of a network that learns leaves few images unlearned, and selects those that were forgotten most', async () => {
    const options = { dataset, network: buildNetwork(network), runtime: eagerRuntime(), seed: 1, imagesPerRun: 100 };
    const record = await recordForgetting({ ...options, training: { ...training, epochs: 6 } });
    expect(record.neverLearned.reduce((a, b) => a + b, 0)).toBeLessThan(train.count / 4);
    const chosen = await selectPoints({ dataset, ipc: 3, rule: 'forgetting', record });
    const score = (i: number) => (record.neverLearned[i] === 1 ? Number.POSITIVE_INFINITY : (record.counts[i] ?? 0));
    for (let label = 0; label < classes; label++) {
      const own = chosen.subarray(3 * label, 3 * label + 3);
      expect(own.every((i) => train.labels[i] === label)).toBe(true);
      const others = Array.from(train.labels.keys()).filter((i) => train.labels[i] === label && !own.includes(i));
      expect(Math.max(...others.map(score))).toBeLessThanOrEqual(score(own[2] ?? -1));
    }
  });

  it('needs a program that gives logits, which changes no weight', async () => {
    const built = buildNetwork(network);
    const runtime = eagerRuntime();
    const points = Int32Array.from({ length: 200 }, (_, i) => i);
    const run = async (logits: boolean, onVisit?: () => void) => {
      const program = trainingProgram({ network: built, runtime, settings: training, totalSteps: 4, logits });
      const common = { network: built, program, settings: training, split: train, normalisation: dataset.normalisation, imagesPerRun: 50 };
      const params = await trainNetwork({ ...common, points, key: key(1), ...(onVisit === undefined ? {} : { onVisit }) });
      const values = await Promise.all(treeLeaves(params).map((leaf) => leaf.data()));
      disposeTree(params);
      return values;
    };
    expect(await run(true, () => undefined)).toEqual(await run(false));
    await expect(run(false, () => undefined)).rejects.toThrow(/logits/);
  });
});

describe('a compiled training program', () => {
  it('gives logits without a second forward pass', async () => {
    const built = buildNetwork({ network: 'convnet', width: 4, depth: 2, inputShape: [8, 8, 1], classes });
    const base = jsRuntime();
    const convolutions = async (logits: boolean) => {
      const printed: (() => string)[] = [];
      const runtime: Runtime = {
        ...base,
        compile(fn) {
          const program = base.compile(fn);
          printed.push(() => String(program));
          return program;
        },
      };
      const program = trainingProgram({ network: built, runtime, settings: training, totalSteps: 1, logits });
      const params = built.init(key(0));
      const [x, y] = [normal(key(1), [5, 8, 8, 1]), normal(key(2), [5, classes])];
      const state = program.initState(params);
      const result = await program.step(params, state, [{ x, y }]);
      expect(result.logits.map(({ shape }) => shape)).toEqual(logits ? [[5, classes]] : []);
      disposeTree([params, state, x, y, result]);
      const count = printed.map((print) => (print().match(/conv/g) ?? []).length).reduce((a, b) => a + b, 0);
      await program.dispose();
      return count;
    };
    const plain = await convolutions(false);
    expect(plain).toBeGreaterThan(0);
    expect(await convolutions(true)).toBe(plain);
    await base.dispose();
  });
});

describe('selectionTask', () => {
  const select = async (options: Omit<SelectionTaskOptions, 'folder'>) => {
    const folder = mkdtempSync(join(tmpdir(), 'bpc-selection-'));
    const shared = { dataset, runtime: { family: 'tfjs', backend: 'cpu' }, threads: 1 };
    const pool = taskPool({ workers: 0, shared });
    pools.push(pool);
    const module = moduleUrl('../src/selection/selection-task.ts', import.meta.url);
    await pool.run([{ module, export: 'selectionTask', options: { ...options, folder } }]);
    return new Uint8Array(await readFile(join(folder, 'coreset.safetensors')));
  };

  it('writes a coreset file that names its images, from the last snapshot of the seed’s expert', async () => {
    const settings: ExpertSettings = { network, training, count: 2, images: 400, seed: 3 };
    const folder = mkdtempSync(join(tmpdir(), 'bpc-selection-experts-'));
    const pool = taskPool({ workers: 0, shared: { dataset, runtime: { family: 'tfjs', backend: 'cpu' }, threads: 1 } });
    pools.push(pool);
    await trainExperts({ ...settings, dataset, pool, folder, warn: () => undefined });
    const features = { network, folder, recipe: expertRecipe(settings, 'digits'), count: 2, epochs: 2 };
    const herd = (seed: number) => select({ selection: { rule: 'herding', features }, ipc: 2, seed });
    const [first, second, third] = [await herd(0), await herd(1), await herd(2)];
    const { coreset, metadata } = await readCoreset(first, dataset);
    const indices = metadata['indices'] as number[];
    expect(metadata['method']).toBe('herding');
    expect(indices.length).toBe(20);
    expect(coreset.x).toEqual(toFloat(train, indices, dataset.normalisation));
    const chosenBy = async (bytes: Uint8Array) => (await readCoreset(bytes, dataset)).metadata['indices'];
    expect(await chosenBy(second)).not.toEqual(indices);
    expect(await chosenBy(third)).toEqual(indices);
  });

  it('selects by pixels without any network', async () => {
    const { metadata } = await readCoreset(await select({ selection: { rule: 'k-center', features: 'pixels' }, ipc: 1, seed: 0 }), dataset);
    expect(metadata['features']).toBe('pixels');
  });
});
