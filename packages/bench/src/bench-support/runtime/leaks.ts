import { InterruptedError } from '@bpc/core';
import type { CommandContext } from '../../cli/context.js';
import type { BenchRatio, BenchRow } from '../bench-result.js';
import { askOnce } from '../subject-process.js';
import type { RuntimeBenchOptions } from './options.js';
import { type LeakRecord, type MemoryRecord, runtimeCommand } from './task.js';

/** How much of its memory a process may gain, in percent. */
const goal = 5;

const growth = (before: MemoryRecord, after: MemoryRecord): number => Math.round((1e4 * (after.rssMb - before.rssMb)) / before.rssMb) / 100;

function rowsOf(subject: string, { calls, cycles }: RuntimeBenchOptions, record: LeakRecord): BenchRow[] {
  const { warm, afterCalls, afterCycles } = record;
  const row = (name: string, unit: BenchRow['unit'], value: number, reason?: string): BenchRow => ({
    case: name,
    subject,
    unit,
    median: value,
    repeats: 1,
    ...(reason === undefined ? {} : { reason }),
  });
  const heaps = [warm, afterCalls, afterCycles].map(({ heapMb }) => heapMb.toFixed(1)).join(', ');
  return [
    row('memory after the warm-up', 'MB', warm.rssMb, `JavaScript heap then, after calls and after cycles: ${heaps} MB`),
    row(`growth over ${calls} calls`, '%', growth(warm, afterCalls)),
    row(`growth over ${calls} calls and ${cycles} compile/dispose cycles`, '%', growth(warm, afterCycles)),
    row('tensors gained', 'count', afterCycles.tensors - warm.tensors),
    row('sessions gained', 'count', afterCycles.sessions - warm.sessions),
    row('compile, call and dispose', 'ms', record.msPerCycle),
  ];
}

/** Whether calls and compilations leave anything behind, each runtime in a process of its own. */
export async function leaks(
  options: RuntimeBenchOptions,
  context: CommandContext,
): Promise<{ readonly rows: BenchRow[]; readonly ratios: BenchRatio[] }> {
  const { subjects, warmUp, calls, cycles } = options;
  const phase = context.reporter.phase(`leaks: ${subjects.join(', ')}`, subjects.length);
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  try {
    for (const [i, subject] of subjects.entries()) {
      const record = await askOnce<LeakRecord>(runtimeCommand({ task: 'leaks', subject, warmUp, calls, cycles }), context.signal);
      if (context.signal.aborted) throw new InterruptedError('stopped while looking for leaks', 0, 'start the same command again');
      phase.update(i + 1);
      if ('absent' in record) {
        rows.push({ case: 'leaks', subject, unit: '%', absent: true, reason: record.absent });
        continue;
      }
      rows.push(...rowsOf(subject, options, record.result));
      const { warm, afterCycles } = record.result;
      ratios.push(
        { name: `${subject}, percent of memory gained`, value: growth(warm, afterCycles), goal },
        { name: `${subject}, tensors gained`, value: afterCycles.tensors - warm.tensors, goal: 0 },
        { name: `${subject}, sessions gained`, value: afterCycles.sessions - warm.sessions, goal: 0 },
      );
    }
  } finally {
    phase.finish();
  }
  return { rows, ratios };
}
