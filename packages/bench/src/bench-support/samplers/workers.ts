import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { InterruptedError } from '@bpc/core';
import type { CommandContext } from '../../cli/context.js';
import { type BenchRatio, type BenchRow, median } from '../bench-result.js';
import type { LoadMeter } from '../load.js';
import { type SmallModelName, smallModels } from '../small-models/models.js';
import { expectedOf } from '../small-models/task.js';
import { startResponder } from '../subject-process.js';
import { nutsSettings } from './nuts-runs.js';
import { type NutsRun, type NutsTask, nutsCommand } from './nuts-task.js';
import type { SamplerBenchOptions } from './options.js';

/** Draws per chain for which one thread has half a second to do at least. */
const longRuns: Readonly<Record<SmallModelName, number>> = { 'eight-schools': 40_000, arK: 7000, kidiq: 2000, logistic: 2000 };

/** Most that two threads should take of one thread's time. */
const goal = 1 / 1.6;
const threads = 2;

const workerCounts = [0, threads] as const;
const subjectOf = (workers: number) => (workers === 0 ? 'js, this thread' : `js, ${workers} workers`);

/** Two threads' time over one's; the goal is about jobs of half a second or more. */
export function workerRatios(rows: readonly BenchRow[]): BenchRatio[] {
  const [one, two] = workerCounts.map((workers) => rows.find(({ subject }) => subject === subjectOf(workers)));
  if (one?.median === undefined || two?.median === undefined) return [];
  const name = `${two.subject} / ${one.subject}, ${one.case}`;
  return [{ name, value: two.median / one.median, ...(one.median >= 500 ? { goal } : {}) }];
}

/** The same chains on one thread and on two that are warm. */
export async function workersCase(
  model: SmallModelName,
  { chains, warmup, seeds, draws, python }: SamplerBenchOptions,
  folder: string,
  context: CommandContext,
  load: LoadMeter,
): Promise<{ readonly rows: BenchRow[]; readonly ratios: BenchRatio[] }> {
  // A multiple of what was asked for, so that short runs stay short.
  const length = Math.ceil((longRuns[model] * draws) / 1000);
  const title = `NUTS, ${smallModels[model]().title}, ${chains} × (${warmup} + ${length})`;
  const { position } = await expectedOf(model);
  const phase = context.reporter.phase(`${title}: one thread and ${threads}`, workerCounts.length * (seeds + 1));
  const out = join(folder, 'draws');
  const measured = new Map<number, number[]>();
  const missing = new Map<number, string>();
  let done = 0;
  const advance = () => {
    if (context.signal.aborted) throw new InterruptedError(`stopped while sampling ${title}`, 0, 'start the same command again');
    phase.update(++done);
    load.note(title);
  };
  const running = new Map<number, Extract<Awaited<ReturnType<typeof startResponder>>, { readonly version: string }>>();
  try {
    for (const workers of workerCounts) {
      const task: NutsTask = {
        model,
        subject: 'js',
        chains,
        warmup,
        draws: length,
        ...nutsSettings,
        workers,
        size: position.length,
        dataFile: '',
      };
      const started = await startResponder(nutsCommand(task, python), context.signal);
      const first = 'absent' in started ? started : await started.ask<NutsRun>({ seed: 1_000_000, out });
      if ('absent' in first) missing.set(workers, first.absent);
      if (!('absent' in started)) running.set(workers, started);
      advance();
    }
    for (let seed = 0; seed < seeds; seed++) {
      for (const [workers, responder] of running) {
        const answer = missing.has(workers) ? undefined : await responder.ask<NutsRun>({ seed, out });
        if (answer === undefined) continue;
        if ('absent' in answer) missing.set(workers, answer.absent);
        else measured.set(workers, [...(measured.get(workers) ?? []), answer.result.samplingMs]);
        advance();
      }
    }
  } finally {
    for (const responder of running.values()) responder.stop();
    rmSync(out, { force: true });
    phase.finish();
  }
  const rows = workerCounts.map((workers): BenchRow => {
    const row = { case: title, subject: subjectOf(workers), unit: 'ms' } as const;
    const reason = missing.get(workers);
    if (reason !== undefined) return { ...row, absent: true, reason };
    const ms = measured.get(workers) ?? [];
    return { ...row, median: median(ms), min: Math.min(...ms), repeats: ms.length };
  });
  return { rows, ratios: workerRatios(rows) };
}
