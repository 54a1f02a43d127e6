import { InterruptedError } from '@bpc/core';
import type { CommandContext } from '../cli/context.js';
import { type BenchRow, median } from './bench-result.js';
import type { LoadMeter } from './load.js';
import { type Absence, type Subject, type SubjectCommand, startSubject, type Times } from './subject-process.js';

/** One side of a race: one process, or several that work at the same time. */
export interface Contestant {
  readonly subject: string;
  readonly commands: readonly SubjectCommand[];
  /** Why it does not take part; it becomes an absent row. */
  readonly skip?: string | undefined;
  /** Steps that take longer, in milliseconds, are timed once only: such a ratio needs no second digit. */
  readonly onceAbove?: number;
}

/** One case, timed for all its subjects. */
export interface RaceOptions {
  readonly name: string;
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  /** Each contestant gets about this long per round, but at least one step. */
  readonly secondsPerRound: number;
  readonly load: LoadMeter;
  /** Hears the version of each subject that starts. */
  readonly onVersion?: (subject: string, version: string) => void;
}

const mostSteps = 50;

type Running = {
  readonly subject: string;
  readonly onceAbove: number;
  readonly processes: readonly Subject[];
  readonly ms: number[];
  cpuMs: number;
  wallMs: number;
  peakRssMb: number;
};

/** A subject that an interrupt has ended must not look like one that is not installed. */
function stopIfAsked(signal: AbortSignal, name: string): void {
  if (signal.aborted) throw new InterruptedError(`stopped while timing ${name}`, 0, 'start the same command again');
}

async function start(
  { subject, commands, onceAbove = Number.POSITIVE_INFINITY }: Contestant,
  signal: AbortSignal,
): Promise<Running | Absence> {
  // One after the other: compilers that start together would slow each other down for minutes.
  const processes: Subject[] = [];
  for (const command of commands) {
    const started = await startSubject(command, signal);
    if ('absent' in started) {
      for (const process of processes) process.stop();
      return started;
    }
    processes.push(started);
  }
  return { subject, onceAbove, processes, ms: [], cpuMs: 0, wallMs: 0, peakRssMb: 0 };
}

/** Times all processes of one contestant at once; memory adds up. */
async function timeTogether(entry: Running, steps: number): Promise<Times | Absence> {
  const all = await Promise.all(entry.processes.map((process) => process.time(steps)));
  const ms: number[] = [];
  let cpuMs = 0;
  let wallMs = 0;
  let peakRssMb = 0;
  for (const times of all) {
    if ('absent' in times) return times;
    ms.push(...times.ms);
    cpuMs += times.cpuMs ?? 0;
    wallMs = Math.max(wallMs, times.wallMs ?? 0);
    peakRssMb += times.peakRssMb;
  }
  return { ms, cpuMs, wallMs, peakRssMb };
}

function rowOf(name: string, { subject, ms, cpuMs, wallMs, peakRssMb }: Running): BenchRow {
  return {
    case: name,
    subject,
    unit: 'ms',
    median: median(ms),
    min: Math.min(...ms),
    repeats: ms.length,
    peakRssMb,
    ...(cpuMs > 0 && wallMs > 0 ? { cores: Math.round((100 * cpuMs) / wallMs) / 100 } : {}),
  };
}

/** Times the contestants of one case in turns, so that what else the machine does hits all alike. */
export async function race(options: RaceOptions, context: CommandContext): Promise<BenchRow[]> {
  const { name, contestants, rounds, secondsPerRound, load, onVersion } = options;
  const subjects = contestants.map(({ subject }) => subject);
  const phase = context.reporter.phase(`${name}: ${subjects.join(', ')}`, rounds + contestants.length);
  const rows: BenchRow[] = [];
  const running: Running[] = [];
  const absent = (subject: string, reason: string) => rows.push({ case: name, subject, unit: 'ms', absent: true, reason });
  let done = 0;
  const advance = () => {
    phase.update(++done);
    load.note(name);
  };
  try {
    for (const contestant of contestants) {
      const { subject, skip } = contestant;
      const started = skip === undefined ? await start(contestant, context.signal) : { absent: skip };
      stopIfAsked(context.signal, name);
      if ('absent' in started) absent(subject, started.absent);
      else {
        running.push(started);
        onVersion?.(subject, started.processes[0]?.version ?? '');
      }
      advance();
    }
    for (let round = 0; round < rounds; round++) {
      for (const entry of [...running]) {
        const each = entry.ms.length === 0 ? 0 : median(entry.ms);
        if (each > entry.onceAbove) continue;
        const steps = each === 0 ? 1 : Math.max(1, Math.min(mostSteps, Math.floor((secondsPerRound * 1000) / each)));
        const times = await timeTogether(entry, steps);
        stopIfAsked(context.signal, name);
        if ('absent' in times) {
          // What ends in the middle has no figure: a median of the rounds before would flatter it.
          absent(entry.subject, times.absent);
          for (const process of entry.processes) process.stop();
          running.splice(running.indexOf(entry), 1);
          continue;
        }
        entry.ms.push(...times.ms);
        entry.cpuMs += times.cpuMs ?? 0;
        entry.wallMs += times.wallMs ?? 0;
        entry.peakRssMb = Math.max(entry.peakRssMb, times.peakRssMb);
      }
      advance();
    }
  } finally {
    for (const { processes } of running) for (const process of processes) process.stop();
    phase.finish();
  }
  rows.push(...running.map((entry) => rowOf(name, entry)));
  return subjects.flatMap((subject) => rows.filter((row) => row.subject === subject));
}
