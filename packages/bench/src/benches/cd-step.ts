import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ConfigError, InterruptedError } from '@bpc/core';
import { type BenchRatio, type BenchResult, type BenchRow, median, renderBench } from '../bench-support/bench-result.js';
import { type Subject, type SubjectCommand, startSubject } from '../bench-support/subject-process.js';
import type { CommandContext } from '../cli/context.js';
import { packageVersions } from '../runtime-choice/environment.js';

const ours = 'onnx:cpu';
const defaults = {
  batches: '10,100',
  threads: '2',
  width: '128',
  rounds: '5',
  subjects: 'onnx:cpu,tfjs:wasm,tfjs:cpu,torch-eager,torch-compile',
};
/** What this bench was written to reach, at the default width. */
const goals: Readonly<Record<string, number>> = { 'tfjs:wasm': 0.2, 'torch-eager': 1.5 };

interface Settings {
  readonly batches: readonly number[];
  readonly threads: number;
  readonly width: number;
  readonly rounds: number;
  readonly subjects: readonly string[];
  readonly python: string;
  /** Also times what takes minutes a step. */
  readonly slow: boolean;
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new ConfigError(`--${name} is ${text}, expected a positive integer`, `pass for example --${name} 2`);
  return value;
}

function settings(args: readonly string[]): Settings {
  const option = (value: string) => ({ type: 'string' as const, default: value });
  let values: Readonly<Record<keyof typeof defaults | 'python', string>> & { readonly slow: boolean };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        batches: option(defaults.batches),
        threads: option(defaults.threads),
        width: option(defaults.width),
        rounds: option(defaults.rounds),
        subjects: option(defaults.subjects),
        python: option(process.env['BPC_PYTHON'] ?? 'python3'),
        slow: { type: 'boolean', default: false },
      },
    }));
  } catch (cause) {
    throw new ConfigError(
      // Node explains on further lines what the remedy says.
      (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '',
      `options: --batches ${defaults.batches} --threads 2 --width 128 --rounds 5 --subjects ${defaults.subjects} --python PATH --slow`,
      { cause },
    );
  }
  const subjects = [...new Set(values.subjects.split(','))];
  const unknown = subjects.find((subject) => !defaults.subjects.split(',').includes(subject));
  if (unknown !== undefined)
    throw new ConfigError(`--subjects has '${unknown}', expected names of subjects`, `choose from ${defaults.subjects}`);
  return {
    batches: values.batches.split(',').map((text) => count('batches', text)),
    threads: count('threads', values.threads),
    width: count('width', values.width),
    rounds: count('rounds', values.rounds),
    subjects,
    python: values.python,
    slow: values.slow,
  };
}

function commandOf(subject: string, batch: number, { threads, width, python }: Settings): SubjectCommand {
  const last = [batch, threads, width].map(String);
  if (subject.startsWith('torch-')) {
    return {
      command: python,
      args: [fileURLToPath(new URL('../../peers/torch_convnet.py', import.meta.url)), subject.slice('torch-'.length), ...last],
    };
  }
  return {
    command: process.execPath,
    args: [fileURLToPath(new URL('../bench-support/convnet-subject.js', import.meta.url)), subject, ...last],
  };
}

// Each subject gets about this long per round, but at least one step.
const secondsPerRound = 1.5;
const slowMs = 5_000;
// A subject whose next case would take longer per step is left out of it, unless --slow is given.
const skipMs = 120_000;

/** A subject that an interrupt has ended must not look like one that is not installed. */
function stopIfAsked(signal: AbortSignal, name: string): void {
  if (signal.aborted) throw new InterruptedError(`stopped while timing ${name}`, 0, 'start the same command again');
}

/** Why a subject is not worth timing at a batch size, going by its milliseconds per image; undefined if it is. */
export function whySkipped(msPerImage: number | undefined, batch: number): string | undefined {
  const expected = (msPerImage ?? 0) * batch;
  return expected > skipMs
    ? `not timed: about ${Math.round(expected / 1000)} s a step, going by the case before; pass --slow to time it`
    : undefined;
}

/** What one case learns for the next: versions of peers, and milliseconds per image of each subject. */
interface Notes {
  readonly versions: Record<string, string>;
  readonly perImage: Map<string, number>;
}

/** Times the subjects of one case in turns, so that what else the machine does hits all alike. */
async function timeCase(batch: number, options: Settings, context: CommandContext, { versions, perImage }: Notes): Promise<BenchRow[]> {
  const name = `batch ${batch}`;
  const phase = context.reporter.phase(`${name}: ${options.subjects.join(', ')}`, options.rounds + options.subjects.length);
  const rows: BenchRow[] = [];
  const running: { readonly name: string; readonly subject: Subject; readonly ms: number[]; each: number; peakRssMb: number }[] = [];
  const absent = (subject: string, reason: string) => rows.push({ case: name, subject, unit: 'ms', absent: true, reason });
  let done = 0;
  const advance = () => phase.update(++done);
  try {
    for (const subject of options.subjects) {
      const reason = options.slow ? undefined : whySkipped(perImage.get(subject), batch);
      if (reason !== undefined) {
        absent(subject, reason);
        advance();
        continue;
      }
      const started = await startSubject(commandOf(subject, batch, options), context.signal);
      stopIfAsked(context.signal, name);
      if ('absent' in started) absent(subject, started.absent);
      else {
        running.push({ name: subject, subject: started, ms: [], each: 0, peakRssMb: 0 });
        if (subject.startsWith('torch-')) versions['torch'] = started.version;
      }
      advance();
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const entry of [...running]) {
        // What takes many seconds a step is measured once; its ratio needs no second digit.
        if (entry.each > slowMs) continue;
        const steps = entry.each === 0 ? 1 : Math.max(1, Math.min(50, Math.floor((secondsPerRound * 1000) / entry.each)));
        const times = await entry.subject.time(steps);
        stopIfAsked(context.signal, name);
        if ('absent' in times) {
          // What ends in the middle has no figure: a median of the rounds before would flatter it.
          absent(entry.name, times.absent);
          running.splice(running.indexOf(entry), 1);
          continue;
        }
        entry.ms.push(...times.ms);
        entry.peakRssMb = times.peakRssMb;
        entry.each = median(entry.ms);
      }
      advance();
    }
  } finally {
    for (const { subject } of running) subject.stop();
    phase.finish();
  }
  for (const { name: subject, ms, peakRssMb } of running) {
    perImage.set(subject, median(ms) / batch);
    rows.push({ case: name, subject, unit: 'ms', median: median(ms), min: Math.min(...ms), repeats: ms.length, peakRssMb });
  }
  return options.subjects.flatMap((subject) => rows.filter((row) => row.subject === subject));
}

/** Ours over each peer's, by medians. */
export function ratiosOf(rows: readonly BenchRow[], aims: Readonly<Record<string, number>> = goals): BenchRatio[] {
  const mine = rows.find(({ subject }) => subject === ours)?.median;
  if (mine === undefined) return [];
  return rows.flatMap(({ subject, median: theirs, ...row }) => {
    if (subject === ours || theirs === undefined) return [];
    const goal = aims[subject];
    return [{ name: `${ours} / ${subject}, ${row.case}`, value: mine / theirs, ...(goal === undefined ? {} : { goal }) }];
  });
}

/**
 * `bpc bench cd-step`: milliseconds of one ConvNet loss with all its parameter gradients, of which contrastive divergence
 * takes k + 2 per step, for our compiled runtime and its peers, in one run.
 */
export async function run(context: CommandContext, args: readonly string[]): Promise<void> {
  const options = settings(args);
  context.beginWork();
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  const notes: Notes = { versions: { ...packageVersions() }, perImage: new Map() };
  for (const batch of options.batches) {
    const timed = await timeCase(batch, options, context, notes);
    rows.push(...timed);
    ratios.push(...ratiosOf(timed, String(options.width) === defaults.width ? goals : {}));
  }
  const environment = {
    node: process.version,
    processor: cpus()[0]?.model.trim(),
    cores: cpus().length,
    threads: options.threads,
    // Neither backend has threads in Node, whatever is asked of it.
    tfjsThreads: 1,
    network: `ConvNet D3 W${options.width}, 32x32x3, loss and all parameter gradients`,
    load: loadavg()[0],
    versions: notes.versions,
  };
  const result: BenchResult = { bench: 'cd-step', rows, ratios, environment };
  context.print(context.json ? `${JSON.stringify(result)}\n` : `${renderBench(result)}\n`);
}
