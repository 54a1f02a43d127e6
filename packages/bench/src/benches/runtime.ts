import { cpus } from 'node:os';
import { type BenchRatio, type BenchResult, type BenchRow, renderBench } from '../bench-support/bench-result.js';
import { loadMeter, tooBusy } from '../bench-support/load.js';
import { race } from '../bench-support/race.js';
import { compileTimes } from '../bench-support/runtime/compile.js';
import { leaks } from '../bench-support/runtime/leaks.js';
import { runtimeBenchOptions } from '../bench-support/runtime/options.js';
import { runtimeCommand } from '../bench-support/runtime/task.js';
import { stealMeter } from '../bench-support/steal.js';
import type { CommandContext } from '../cli/context.js';
import { packageVersions } from '../runtime-choice/environment.js';

/**
 * `bpc bench runtime`: whether a compiled runtime leaks, how long it compiles, and what a call costs that does next to
 * nothing.
 */
export async function run(context: CommandContext, args: readonly string[]): Promise<void> {
  const options = runtimeBenchOptions(args);
  context.beginWork();
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  const [load, stolen] = [loadMeter(), stealMeter()];
  const busy = tooBusy(load.record().start, cpus().length);
  if (busy !== undefined) context.reporter.warn(busy);
  for (const name of options.cases) {
    if (name === 'calls') {
      const contestants = options.subjects.map((subject) => ({ subject, commands: [runtimeCommand({ task: 'calls', subject })] }));
      const timed = await race(
        { name: 'call of a sum of 10 numbers', contestants, rounds: options.rounds, secondsPerRound: 0.3, load },
        context,
      );
      // Milliseconds per thousand calls are microseconds per call.
      rows.push(...timed.map((row): BenchRow => ({ ...row, unit: 'µs' })));
      continue;
    }
    const found = await (name === 'leaks' ? leaks : compileTimes)(options, context);
    load.note(name);
    rows.push(...found.rows);
    ratios.push(...found.ratios);
  }
  const environment = {
    node: process.version,
    processor: cpus()[0]?.model.trim(),
    cores: cpus().length,
    threads: 1,
    load: load.record(),
    stolenPercent: stolen(),
    versions: packageVersions(),
  };
  const result: BenchResult = { bench: 'runtime', rows, ratios, environment };
  context.print(context.json ? `${JSON.stringify(result)}\n` : `${renderBench(result)}\n`);
}
