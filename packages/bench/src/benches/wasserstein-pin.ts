import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchRatio, type BenchResult, type BenchRow, median } from '../bench-support/bench-result.js';
import { loadMeter } from '../bench-support/load.js';
import { comparePin, type PinComparison, type PinRun, pinFigures, renderPin } from '../bench-support/wasserstein-pin/compare.js';
import { ourSide } from '../bench-support/wasserstein-pin/our-side.js';
import { peerSide } from '../bench-support/wasserstein-pin/peer-side.js';
import { pinSettings } from '../bench-support/wasserstein-pin/settings.js';
import type { CommandContext } from '../cli/context.js';
import { packageVersions } from '../runtime-choice/environment.js';

const [ours, theirs] = ['bpc learn', 'torch'] as const;

/** A figure of one side with all its seeds, so that whoever reads the JSON can test it as they like. */
export interface PinRow extends BenchRow {
  readonly values?: readonly number[];
}

/** The rows of one side. */
export function pinTable(subject: string, runs: readonly PinRun[]): PinRow[] {
  return pinFigures.map(({ name, unit, of }) => {
    const values = runs.map(of);
    const [min, max] = [Math.min(...values), Math.max(...values)];
    return { case: name, subject, unit, median: median(values), min, max, repeats: values.length, values };
  });
}

/** Each difference over the reach of its interval: more than 1 is a difference that the spread of seeds does not explain. */
export const pinRatios = (comparisons: readonly PinComparison[]): BenchRatio[] =>
  comparisons.map(({ name, difference: { mean, high } }) => ({
    name: `|${ours} − ${theirs}| over the reach of its 95 % interval, ${name}`,
    value: mean === 0 ? 0 : Math.abs(mean) / (high - mean),
    goal: 1,
  }));

/**
 * `bpc bench wasserstein-pin`: a reduced Wasserstein run of `bpc learn` and of a PyTorch script that was written from the
 * definitions, from the same images, experts and starts; do their scores differ by more than seeds do?
 */
export async function run(context: CommandContext, args: readonly string[]): Promise<void> {
  const { config, python, seeds } = pinSettings(args);
  context.beginWork();
  const load = loadMeter();
  const folder = mkdtempSync(join(tmpdir(), 'bpc-wasserstein-pin-'));
  try {
    const mine = await ourSide(config, folder, context);
    load.note(ours);
    const begun = performance.now();
    const peer = await peerSide({ config, python }, mine.files, context);
    load.note(theirs);
    const peerSeconds = (performance.now() - begun) / 1000;
    const absent = 'absent' in peer ? peer.absent : undefined;
    const runs = 'absent' in peer ? [] : peer.runs;
    const comparisons = comparePin(mine.runs, runs);
    const rows: PinRow[] =
      absent === undefined
        ? [...pinTable(ours, mine.runs), ...pinTable(theirs, runs)]
        : [...pinTable(ours, mine.runs), { case: 'all figures', subject: theirs, unit: 'fraction', absent: true, reason: absent }];
    const environment = {
      node: process.version,
      processor: cpus()[0]?.model.trim(),
      cores: cpus().length,
      runtime: mine.runtime,
      seeds,
      testImages: mine.testImages,
      // Ours with its controls, ceiling, experts and curves; the peer's with what is compared alone.
      seconds: { [ours]: mine.seconds, ...(absent === undefined ? { [theirs]: peerSeconds } : {}) },
      config,
      comparisons,
      load: load.record(),
      versions: { ...packageVersions(), ...('absent' in peer ? {} : { torch: peer.version }) },
    };
    const result: BenchResult = { bench: 'wasserstein-pin', rows, ratios: pinRatios(comparisons), environment };
    context.print(context.json ? `${JSON.stringify(result)}\n` : `${renderPin(mine.runs, comparisons, absent)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
