import { cpus } from 'node:os';
import { type BenchRatio, type BenchResult, type BenchRow, ratiosOf, renderBench } from '../bench-support/bench-result.js';
import { accuracy } from '../bench-support/cd-step/accuracy.js';
import { type TimedCase, timedCases, whySkipped } from '../bench-support/cd-step/cases.js';
import { type CdStepOptions, cdStepOptions } from '../bench-support/cd-step/options.js';
import { loadMeter, tooBusy } from '../bench-support/load.js';
import { type Contestant, race } from '../bench-support/race.js';
import { stealMeter } from '../bench-support/steal.js';
import type { CommandContext } from '../cli/context.js';
import { packageVersions } from '../runtime-choice/environment.js';

const ours = 'onnx:cpu';

/** Leaves out who took so long at a smaller batch that this one would take minutes a step. */
function withoutSlow({ contestants, batch }: TimedCase, { slow }: CdStepOptions, perImage: ReadonlyMap<string, number>): Contestant[] {
  return contestants.map((contestant) => ({
    ...contestant,
    skip: slow ? undefined : whySkipped(perImage.get(contestant.subject), batch),
  }));
}

function memoryRatio(rows: readonly BenchRow[], { name, memoryGoal }: TimedCase): BenchRatio[] {
  const peak = rows.find(({ subject }) => subject === ours)?.peakRssMb;
  return peak === undefined || memoryGoal === undefined ? [] : [{ name: `${ours}, peak MB, ${name}`, value: peak, goal: memoryGoal }];
}

/**
 * `bpc bench cd-step`: what contrastive divergence is made of, for our compiled runtime and its peers, in one run: loss and
 * gradients of networks, chains beside each other, whole outer steps, and how exact the gradients are.
 */
export async function run(context: CommandContext, args: readonly string[]): Promise<void> {
  const options = cdStepOptions(args);
  context.beginWork();
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  const versions: Record<string, string> = { ...packageVersions() };
  const [load, stolen] = [loadMeter(), stealMeter()];
  const busy = tooBusy(load.record().start, cpus().length);
  if (busy !== undefined) context.reporter.warn(busy);
  const perImage = new Map<string, number>();
  for (const timed of timedCases(options)) {
    const found = await race(
      {
        name: timed.name,
        contestants: withoutSlow(timed, options, perImage),
        rounds: options.rounds,
        secondsPerRound: options.secondsPerRound,
        load,
        onVersion(subject, version) {
          const engine = subject.startsWith('torch-') ? 'torch' : subject;
          if (engine === 'torch' || engine === 'jax') versions[engine] = version;
        },
      },
      context,
    );
    if (timed.kind === 'gradients')
      for (const { subject, median } of found) if (median !== undefined) perImage.set(subject, median / timed.batch);
    rows.push(...found);
    ratios.push(...ratiosOf(found, ours, timed.goalOf), ...memoryRatio(found, timed));
  }
  if (options.cases.includes('accuracy')) {
    const found = await accuracy(options, context);
    rows.push(...found.rows);
    ratios.push(...found.ratios);
  }
  const environment = {
    node: process.version,
    processor: cpus()[0]?.model.trim(),
    cores: cpus().length,
    threads: options.threads,
    // Neither backend has threads in Node, whatever is asked of it.
    tfjsThreads: 1,
    network: `ConvNet D3 W${options.width}, 32x32x3, unless the case says otherwise; loss and all parameter gradients`,
    rounds: options.rounds,
    load: load.record(),
    stolenPercent: stolen(),
    versions,
  };
  const result: BenchResult = { bench: 'cd-step', rows, ratios, environment };
  context.print(context.json ? `${JSON.stringify(result)}\n` : `${renderBench(result)}\n`);
}
