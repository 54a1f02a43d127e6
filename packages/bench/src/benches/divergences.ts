import { cpus } from 'node:os';
import { type BenchRatio, type BenchResult, type BenchRow, ratiosOf, renderBench } from '../bench-support/bench-result.js';
import { agreement, agreementGoal } from '../bench-support/divergences/agreement.js';
import {
  augmentationGroups,
  type DivergenceCase,
  differingSides,
  divergenceCase,
  memoryRatios,
} from '../bench-support/divergences/cases.js';
import { methods } from '../bench-support/divergences/methods.js';
import { divergenceBenchOptions, divergenceSubjects } from '../bench-support/divergences/options.js';
import { loadMeter, tooBusy } from '../bench-support/load.js';
import { race } from '../bench-support/race.js';
import { stealMeter } from '../bench-support/steal.js';
import type { CommandContext } from '../cli/context.js';
import { packageVersions } from '../runtime-choice/environment.js';

/**
 * `bpc bench divergences`: milliseconds and peak memory of a whole outer step of learning, divergence by divergence, beside a
 * PyTorch implementation of the same estimator; first, that both compute the same estimate from the same noise.
 */
export async function run(context: CommandContext, args: readonly string[]): Promise<void> {
  const options = divergenceBenchOptions(args);
  context.beginWork();
  const versions: Record<string, string> = { ...packageVersions() };
  const [load, stolen] = [loadMeter(), stealMeter()];
  const busy = tooBusy(load.record().start, cpus().length);
  if (busy !== undefined) context.reporter.warn(busy);
  const onVersion = (subject: string, version: string) => {
    if (subject.startsWith('torch-')) versions['torch'] = version;
  };
  const [ours] = divergenceSubjects;
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  const time = async (timed: DivergenceCase) => {
    const { name, contestants, rounds, secondsPerRound } = timed;
    const found = await race({ name, contestants, rounds, secondsPerRound, load, onVersion }, context);
    rows.push(...found);
    ratios.push(...ratiosOf(found, ours, timed.goalOf), ...memoryRatios(found, timed));
  };
  for (const method of options.methods) {
    const compared = await agreement(method, options, augmentationGroups, context);
    rows.push(...compared);
    for (const { subject, median, ...row } of compared)
      if (median !== undefined) ratios.push({ name: `${subject}, ${row.case}`, value: median, goal: agreementGoal });
    const differing = differingSides(compared, agreementGoal);
    const sizes = method === 'bpc-cd' ? [...options.ipc, ...options.memoryIpc] : options.ipc;
    for (const ipc of sizes) await time(divergenceCase(method, ipc, options, differing));
  }
  const environment = {
    node: process.version,
    processor: cpus()[0]?.model.trim(),
    cores: cpus().length,
    threads: options.threads,
    counts: options.counts,
    methods: Object.fromEntries(options.methods.map((method) => [method, methods[method].title])),
    repeats: options.repeats,
    load: load.record(),
    stolenPercent: stolen(),
    versions,
  };
  const result: BenchResult = { bench: 'divergences', rows, ratios, environment };
  context.print(context.json ? `${JSON.stringify(result)}\n` : `${renderBench(result)}\n`);
}
