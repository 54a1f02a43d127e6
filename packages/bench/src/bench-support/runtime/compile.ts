import { InterruptedError } from '@bpc/core';
import type { CommandContext } from '../../cli/context.js';
import { type BenchRatio, type BenchRow, median } from '../bench-result.js';
import { askOnce } from '../subject-process.js';
import type { RuntimeBenchOptions, RuntimeSubject } from './options.js';
import { type CompiledProgram, compiledPrograms, runtimeCommand } from './task.js';

/** Names of the programs, and how many seconds each may take. */
const programs: Readonly<Record<CompiledProgram, { readonly title: string; readonly goal: number }>> = {
  'convnet-step': { title: 'compile: ConvNet D3 W128, loss and gradients, batch 10', goal: 1 },
  'convnet-scan': { title: 'compile: scan of 100 Langevin steps of that ConvNet', goal: 2 },
  'small-scan': { title: 'compile: scan of 100 Langevin steps of a logistic regression', goal: 2 },
};

/** Tracing and compiling, each time in a fresh process: what the first call waits for. */
export async function compileTimes(
  { subjects, rounds }: RuntimeBenchOptions,
  context: CommandContext,
): Promise<{ readonly rows: BenchRow[]; readonly ratios: BenchRatio[] }> {
  const phase = context.reporter.phase('compile times', rounds * subjects.length * compiledPrograms.length);
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  let done = 0;
  const timed = async (subject: RuntimeSubject, program: CompiledProgram): Promise<BenchRow> => {
    const seconds: number[] = [];
    const row = { case: programs[program].title, subject, unit: 's' } as const;
    for (let round = 0; round < rounds; round++) {
      const answer = await askOnce<number>(runtimeCommand({ task: 'compile', subject, program }), context.signal);
      if (context.signal.aborted) throw new InterruptedError('stopped while timing compilations', 0, 'start the same command again');
      phase.update(++done);
      if ('absent' in answer) return { ...row, absent: true, reason: answer.absent };
      seconds.push(answer.result / 1000);
    }
    return { ...row, median: median(seconds), min: Math.min(...seconds), max: Math.max(...seconds), repeats: rounds };
  };
  try {
    for (const program of compiledPrograms) {
      for (const subject of subjects) {
        const row = await timed(subject, program);
        rows.push(row);
        if (row.median !== undefined)
          ratios.push({ name: `${subject}, seconds, ${programs[program].title}`, value: row.median, goal: programs[program].goal });
      }
    }
  } finally {
    phase.finish();
  }
  return { rows, ratios };
}
