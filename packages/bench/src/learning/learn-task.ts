import { join } from 'node:path';
import {
  CheckpointError,
  type Coreset,
  cloneTree,
  crossEntropyEnergy,
  disposeTree,
  foldIn,
  key,
  learn,
  type Metadata,
  parseAugmentation,
  sampled,
  supervised,
} from '@bpc/core';
import { fileStore, plainMessage } from '@bpc/core/node';
import type { RunConfig } from '../config/index.js';
import type { ExpertRecipe } from '../experts/expert-file.js';
import { expertFiles } from '../experts/expert-source.js';
import { buildNetwork, type NetworkSpec } from '../experts/network.js';
import { makeMethod, realBatches, startWeight } from '../methods/index.js';
import { formatRuntimeName, packageVersions } from '../runtime-choice/index.js';
import type { TaskTools } from '../workers/protocol.js';
import type { SharedData } from '../workers/shared-data.js';
import { openTaskRuntime } from '../workers/task-runtime.js';
import { initialCoreset, labelKind } from './initial-coreset.js';
import { coresetRecord, readCurve, readLearned, writeCurve, writeLearned, writeSnapshot } from './learned-files.js';
import { snapshotSteps } from './snapshots.js';

/** One seed to learn. */
export interface LearnTaskOptions {
  readonly config: RunConfig;
  readonly network: NetworkSpec;
  readonly seed: number;
  readonly expertFolder: string;
  readonly recipe: ExpertRecipe;
  /** Where checkpoint, curve and result of this seed are. */
  readonly folder: string;
  readonly allowInexact: boolean;
}

const LEARN = 0x1ea2;
/** Points of a curve: enough for a smooth line, few enough for a small report. */
const curvePoints = 200;

const trajectoryMemory = 256 * 2 ** 20;

/** How many experts stay in memory: at least one, however large they are. */
const trajectoriesKept = (parameters: number, epochs: number): number =>
  Math.max(1, Math.min(16, Math.floor(trajectoryMemory / (4 * parameters * (epochs + 1)))));

const isDone = async (folder: string, dataset: SharedData['dataset']) => (await readLearned(folder, 0, dataset)) !== undefined;

/** Learns one seed in this thread, from its checkpoint if there is one; the result is the same bit for bit. */
export async function learnTask(options: LearnTaskOptions, tools: TaskTools<SharedData>): Promise<void> {
  const { config, network: spec, seed, expertFolder, recipe, folder, allowInexact } = options;
  const { dataset } = tools.shared;
  // First, because it brings the backend that tensors of a finished seed are read into.
  const runtime = await openTaskRuntime(tools);
  if (await isDone(folder, dataset)) return;
  const network = buildNetwork(spec);
  const labels = labelKind(config);
  const like = network.init(key(0));
  const weight = startWeight(config, dataset);
  const start = initialCoreset(dataset, { init: config.init, ipc: config.ipc, seed, labels, weight });
  const { divergence, needs, ...method } = makeMethod(config, { trainCount: dataset.train.count, startWeight: weight });
  const { steps, expertsPerStep, augmentDraws } = config;
  const [firstEpoch, lastEpoch] = config.startEpochRange;
  const objective = sampled(divergence, {
    model: supervised({ network, energy: crossEntropyEnergy({ targets: labels }) }),
    experts: expertFiles({
      ...{ folder: expertFolder, count: config.experts, epochs: config.expertEpochs, recipe, like },
      cached: trajectoriesKept(network.parameterCount, config.expertEpochs),
    }),
    startEpochs: { from: firstEpoch, to: lastEpoch + 1 },
    expertEpochs: needs.epochsAhead,
    expertsPerStep,
    augmentDraws,
    augment: parseAugmentation(config.augment),
    ...(needs.realBatch === 0 ? {} : { real: realBatches(dataset, { size: needs.realBatch, labels }) }),
  });
  const record = coresetRecord(dataset, labels, { method: config.method, seed, config: learningRecord(config), ...maker(tools.shared) });
  const kept = new Set(snapshotSteps(config));
  const every = Math.max(1, Math.floor(steps / curvePoints));
  const points = await readCurve(folder);
  const run = () =>
    learn({
      objective,
      coreset: start,
      ...method,
      runtime,
      steps,
      key: foldIn(key(seed), LEARN),
      signal: tools.signal,
      onStop: () => writeCurve(folder, points),
      checkpoint: { store: fileStore(folder), every: config.checkpointEvery, config: learningRecord(config), allowInexact },
    });
  let learned: Coreset | undefined;
  try {
    for await (const { step, coreset, value } of run()) {
      // A resumed run repeats the steps after its checkpoint, and their points.
      while ((points.at(-1)?.step ?? 0) >= step) points.pop();
      if (value !== undefined && (step % every === 0 || step === steps)) points.push({ step, value });
      // Before the checkpoint of the next step too: killed behind it, a run would not see these points again.
      if ([0, 1].includes((step + 1) % config.checkpointEvery) || step === steps) await writeCurve(folder, points);
      if (kept.has(step)) await writeSnapshot(folder, step, coreset, record);
      if (step === steps) learned = cloneTree(coreset);
      tools.progress({ done: step, total: steps });
      // Compiled steps never wait for anything, so an abort would not arrive without this turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Killed after its last checkpoint, a run has no steps left to show.
    learned ??= await run().collect();
    await writeLearned(folder, learned, record);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError(
      `${join(folder, 'checkpoint.safetensors')}: ${plainMessage(error)}`,
      `${error.remedy}; or delete that file, and the seed is learned from its first step`,
      {
        cause: error,
      },
    );
  } finally {
    disposeTree(like);
    disposeTree(start);
    disposeTree(learned);
  }
}

const elsewhere = new Set(['evaluation', 'full', 'scoreOn', 'workers', 'seeds', 'checkpointEvery', 'runtime', 'threads']);

/** The settings that learning depends on: none of the evaluation, none of the machine. */
export function learningRecord(config: RunConfig): Metadata {
  return Object.fromEntries(Object.entries(config).filter(([name]) => !elsewhere.has(name))) as Metadata;
}

/** What made a coreset, besides its settings. */
const maker = ({ runtime, threads }: SharedData): Metadata => ({
  runtime: formatRuntimeName(runtime),
  threads,
  versions: { node: process.version, ...packageVersions() },
});
