import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensors, type SafetensorsEntry } from '@bpc/core';
import type { CommandContext } from '../../cli/context.js';
import { withPool } from '../../cli/open-pool.js';
import type { RunConfig } from '../../config/index.js';
import type { Dataset } from '../../data/dataset.js';
import { getDataset } from '../../data/get-dataset.js';
import { toFloat } from '../../data/to-float.js';
import type { Score } from '../../evaluation/score.js';
import { expertFileName } from '../../experts/expert-file.js';
import { learnRun, seedsOf } from '../../learning/learn-run.js';
import { readLearned } from '../../learning/learned-files.js';
import { startCoresets } from '../../learning/rows.js';
import { learnedJobName, startJobName } from '../../learning/score-jobs.js';
import { openRunFolder } from '../../run-folder/index.js';
import { chooseRuntime, formatRuntimeName } from '../../runtime-choice/index.js';
import { f32, i32 } from '../augmentation-entries.js';
import type { PinRun, PinScore } from './compare.js';

/** What the peer works with: the same images, experts and starts. */
export interface PinFiles {
  readonly images: string;
  readonly experts: readonly string[];
}

/** Our side's runs, and what the peer needs for its own. */
export interface OurSide {
  readonly runs: readonly PinRun[];
  readonly files: PinFiles;
  readonly runtime: string;
  readonly seconds: number;
  readonly testImages: number;
}

const figures = ({ metrics }: Score): PinScore => ({
  accuracy: metrics['accuracy'] ?? Number.NaN,
  nll: metrics['nll'] ?? Number.NaN,
});

function testEntries({ test, normalisation, shape }: Dataset): Record<string, SafetensorsEntry> {
  const images = toFloat(test, { start: 0, end: test.count }, normalisation);
  return { 'test/x': f32(images, [test.count, ...shape]), 'test/labels': i32(test.labels) };
}

/** Runs `bpc learn`'s own phases in a folder, and leaves there what the peer reads. */
export async function ourSide(config: RunConfig, folder: string, context: CommandContext): Promise<OurSide> {
  const { reporter, signal } = context;
  const runtime = await chooseRuntime({ wanted: config.runtime, announce: reporter.warn });
  const dataset = await getDataset(config.dataset, { shared: true, signal });
  const begun = performance.now();
  const run = await openRunFolder({ path: join(folder, 'run'), fingerprint: { config: JSON.stringify(config) } });
  try {
    await withPool({ workers: config.workers, threads: config.threads, runtime, dataset, signal }, (pool) =>
      learnRun({ config, dataset, runtime, folder: run, pool, reporter }),
    );
    const seconds = (performance.now() - begun) / 1000;
    const entries = testEntries(dataset);
    const runs: PinRun[] = [];
    for (const seed of seedsOf(config)) {
      const { init } = await startCoresets(dataset, config, seed);
      const [before, after] = [startJobName(seed, init), learnedJobName(seed)].map((name) => run.readPiece<Score>(name));
      if (before === undefined || after === undefined) throw new Error(`seed ${seed} has no scores`);
      const { x } = (await readLearned(run.checkpointFolder(`seed-${seed}`), seed, dataset))?.coreset ?? init;
      const stepSize = await learnedStepSize(run.checkpointFolder(`seed-${seed}`));
      runs.push({ init: figures(before), learned: figures(after), moved: rootMeanSquare(x, init.x), stepSize });
      entries[`start/${seed}/x`] = f32(init.x, [init.weights.length, ...init.inputShape]);
      entries[`start/${seed}/labels`] = i32(hardLabels(init.y, init.classes));
    }
    const images = join(folder, 'images.safetensors');
    await writeFile(images, encodeSafetensors(entries, {}));
    const experts = Array.from({ length: config.experts }, (_, i) => join(run.checkpointFolder('experts'), expertFileName(i)));
    return { runs, files: { images, experts }, runtime: formatRuntimeName(runtime), seconds, testImages: dataset.test.count };
  } finally {
    await run.release();
  }
}

/** What `learn` kept as the state of the divergence after its last step. */
async function learnedStepSize(folder: string): Promise<number> {
  const { tensors } = decodeSafetensors(await readFile(join(folder, 'checkpoint.safetensors')));
  const name = [...tensors.keys()].find((each) => /^objective\/.*stepSize$/.test(each));
  return (name === undefined ? undefined : tensors.get(name)?.data[0]) ?? Number.NaN;
}

const rootMeanSquare = (a: Float32Array, b: Float32Array): number =>
  Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b[i] ?? Number.NaN)) ** 2, 0) / a.length);

/** The class of each row of one-hot labels. */
function hardLabels(y: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: y.length / classes }, (_, i) => y.subarray(i * classes, (i + 1) * classes).indexOf(1));
}
