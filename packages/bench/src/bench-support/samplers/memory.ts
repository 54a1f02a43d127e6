import { InterruptedError } from '@bpc/core';
import type { CommandContext } from '../../cli/context.js';
import type { BenchRatio, BenchRow } from '../bench-result.js';
import type { LoadMeter } from '../load.js';
import { askOnce } from '../subject-process.js';
import { memoryCommand, memorySubjects, type SamplerMemory } from './memory-task.js';
import type { SamplerBenchOptions } from './options.js';

/** How much of its memory a sampler may gain, in percent. */
const goal = 5;

/** What a sampler gained after its warm-up. */
export function memoryFigures(subject: string, steps: number, { warm, after }: SamplerMemory): { rows: BenchRow[]; ratios: BenchRatio[] } {
  const name = `memory over ${steps} steps`;
  const growth = Math.round((1e4 * (after.rssMb - warm.rssMb)) / warm.rssMb) / 100;
  const heaps = `JavaScript heap ${warm.heapMb.toFixed(1)} MB, then ${after.heapMb.toFixed(1)} MB`;
  const row = (what: string, unit: BenchRow['unit'], value: number, more: Partial<BenchRow> = {}): BenchRow => ({
    case: `${name}: ${what}`,
    subject,
    unit,
    median: value,
    repeats: 1,
    ...more,
  });
  const [tensors, sessions] = [after.tensors - warm.tensors, after.sessions - warm.sessions];
  return {
    rows: [row('resident while warm', 'MB', warm.rssMb, { reason: heaps }), row('growth', '%', growth)],
    ratios: [
      { name: `${subject}, percent of memory gained`, value: growth, goal },
      { name: `${subject}, tensors gained`, value: tensors, goal: 0 },
      { name: `${subject}, sessions gained`, value: sessions, goal: 0 },
    ],
  };
}

/** Whether samplers that go on and on need more and more memory, each in a process of its own. */
export async function memoryCase(
  { steps }: SamplerBenchOptions,
  context: CommandContext,
  load: LoadMeter,
): Promise<{ readonly rows: BenchRow[]; readonly ratios: BenchRatio[] }> {
  const phase = context.reporter.phase(`memory: ${memorySubjects.join(', ')}`, memorySubjects.length);
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  try {
    for (const [i, subject] of memorySubjects.entries()) {
      const task = { subject, steps };
      const record = await askOnce<SamplerMemory>(memoryCommand(task), context.signal);
      if (context.signal.aborted) throw new InterruptedError('stopped while watching memory', 0, 'start the same command again');
      if ('absent' in record) rows.push({ case: `memory over ${steps} steps`, subject, unit: '%', absent: true, reason: record.absent });
      else {
        const found = memoryFigures(subject, steps, record.result);
        rows.push(...found.rows);
        ratios.push(...found.ratios);
      }
      phase.update(i + 1);
      load.note('memory');
    }
  } finally {
    phase.finish();
  }
  return { rows, ratios };
}
