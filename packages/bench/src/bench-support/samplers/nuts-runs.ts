import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InterruptedError } from '@bpc/core';
import { essBulk, type Series } from '@bpc/samplers';
import type { CommandContext } from '../../cli/context.js';
import type { LoadMeter } from '../load.js';
import { type SmallModelName, smallModels } from '../small-models/models.js';
import { expectedOf } from '../small-models/task.js';
import { type Absence, type Responder, startResponder } from '../subject-process.js';
import { type BareRequest, type NutsRequest, type NutsRun, type NutsTask, nutsCommand } from './nuts-task.js';
import type { NutsSubject, SamplerBenchOptions } from './options.js';
import { reportedOf, reportedSeries } from './posteriors.js';

/** A run with what its draws are worth. */
export interface WorthOfRun extends NutsRun {
  /** The smallest bulk ESS of the reported quantities, by our own diagnostics whoever sampled. */
  readonly ess: number;
}

/** Everything one subject did on one model. */
export interface SubjectRuns {
  readonly subject: NutsSubject;
  /** First runs of fresh processes, which compile; imports are not timed. */
  readonly cold: WorthOfRun[];
  /** Later runs of one process. */
  readonly warm: WorthOfRun[];
  /** Reported quantities of all timed runs. */
  readonly series: (readonly Series[])[];
  /** Microseconds of one bare value and gradient along the draws; of ours only. */
  readonly bareMicroseconds: number[];
  /** Most memory of the warm process. */
  peakRssMb: number;
}

/** What all runs of a model share. */
export interface NutsRunsOptions {
  readonly model: SmallModelName;
  readonly options: SamplerBenchOptions;
  /** For data and draws. */
  readonly folder: string;
  readonly load: LoadMeter;
  readonly onVersion: (subject: NutsSubject, version: string) => void;
}

/** Stan's settings, which are also those of the peers. */
export const nutsSettings = { targetAcceptance: 0.8, maxDepth: 10 };

/** Runs before the warm ones: V8 takes a few to optimise what is hot, XLA compiles in the first. */
const warmingRuns = 3;
const bareCalls = 200_000;
const bareRepeats = 5;

type Running = { readonly runs: SubjectRuns; readonly task: NutsTask; readonly warm: Responder };

class Failed extends Error {}

const resultOf = <T>(answer: { readonly result: T } | Absence): T => {
  if ('absent' in answer) throw new Failed(answer.absent);
  return answer.result;
};

async function started(task: NutsTask, python: string, signal: AbortSignal): Promise<Responder> {
  const responder = await startResponder(nutsCommand(task, python), signal);
  if ('absent' in responder) throw new Failed(responder.absent);
  return responder;
}

/** Makes one run and reads its draws. */
async function run(responder: Responder, task: NutsTask, { seed, out }: NutsRequest): Promise<[WorthOfRun, Series[]]> {
  const result = resultOf(await responder.ask<NutsRun>({ seed, out }));
  const bytes = readFileSync(out);
  rmSync(out);
  const positions = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const series = reportedSeries(reportedOf[task.model], positions, task.chains);
  return [{ ...result, ess: Math.min(...series.map(({ chains }) => essBulk(chains))) }, series];
}

/** Starts the process of the warm runs, checks that it has the same density, and warms it up. */
async function startWarm(
  subject: NutsSubject,
  { model, options, folder, onVersion }: NutsRunsOptions,
  dataFile: string,
  signal: AbortSignal,
): Promise<Running> {
  const { position, expected } = await expectedOf(model);
  const { chains, warmup, draws, python } = options;
  const task: NutsTask = { model, subject, chains, warmup, draws, ...nutsSettings, workers: 0, size: position.length, dataFile };
  const warm = await started(task, python, signal);
  onVersion(subject, warm.version);
  // What is expected is ours.
  if (subject !== 'js') {
    const { relativeError } = resultOf(await warm.ask<{ relativeError: number }>({ position, ...expected }));
    if (!(relativeError <= expected.tolerance)) throw new Failed(`computes something else: relative error ${relativeError}`);
  }
  for (let i = 0; i < warmingRuns; i++) await run(warm, task, { seed: 1_000_000 + i, out: join(folder, 'draws') });
  return { runs: { subject, cold: [], warm: [], series: [], bareMicroseconds: [], peakRssMb: 0 }, task, warm };
}

/** One run in a fresh process and one in the warm one. */
async function runSeed({ runs, task, warm }: Running, seed: number, { options, folder }: NutsRunsOptions, signal: AbortSignal) {
  const out = join(folder, 'draws');
  const fresh = await started(task, options.python, signal);
  try {
    const [cold, coldSeries] = await run(fresh, task, { seed, out });
    runs.cold.push(cold);
    runs.series.push(coldSeries);
  } finally {
    fresh.stop();
  }
  // Seeds of their own: draws of equal seeds would be counted twice.
  const [later, laterSeries] = await run(warm, task, { seed: options.seeds + seed, out });
  runs.warm.push(later);
  runs.series.push(laterSeries);
  runs.peakRssMb = Math.max(runs.peakRssMb, later.peakRssMb);
}

/** Times bare gradients; after all runs, since V8 makes other code for a function that is called from elsewhere, too. */
async function timeBare({ runs, warm }: Running): Promise<void> {
  for (let i = 0; i < bareRepeats; i++) {
    const request: BareRequest = { seed: i, calls: bareCalls };
    runs.bareMicroseconds.push(resultOf(await warm.ask<{ microseconds: number }>(request)).microseconds);
  }
}

/** Runs NUTS on one model with all subjects, seed by seed in turns, so that what else the machine does hits all alike. */
export async function nutsRuns(
  all: NutsRunsOptions,
  context: CommandContext,
): Promise<{ readonly present: SubjectRuns[]; readonly absent: ReadonlyMap<NutsSubject, string> }> {
  const { model, options, folder, load } = all;
  const { subjects, seeds } = options;
  const { title, data } = smallModels[model]();
  const dataFile = join(folder, `${model}.json`);
  writeFileSync(dataFile, JSON.stringify(data));
  const phase = context.reporter.phase(
    `NUTS, ${title}: ${subjects.join(', ')}`,
    subjects.length * (seeds + 1) + Number(subjects.includes('js')),
  );
  const absent = new Map<NutsSubject, string>();
  const running: Running[] = [];
  let done = 0;
  /** Who fails in the middle has no figure: a median of the runs before would flatter it. */
  const attempt = async (subject: NutsSubject, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (context.signal.aborted) throw new InterruptedError(`stopped while sampling ${title}`, 0, 'start the same command again');
      if (!(error instanceof Failed)) throw error;
      absent.set(subject, error.message);
    }
    phase.update(++done);
    load.note(`NUTS, ${title}`);
  };
  try {
    for (const subject of subjects) {
      await attempt(subject, async () => void running.push(await startWarm(subject, all, dataFile, context.signal)));
    }
    for (let seed = 0; seed < seeds; seed++) {
      for (const entry of running) {
        if (!absent.has(entry.task.subject)) await attempt(entry.task.subject, () => runSeed(entry, seed, all, context.signal));
      }
    }
    for (const entry of running) {
      if (entry.task.subject === 'js' && !absent.has('js')) await attempt('js', () => timeBare(entry));
    }
  } finally {
    for (const { warm } of running) warm.stop();
    phase.finish();
  }
  return { present: running.map(({ runs }) => runs).filter(({ subject }) => !absent.has(subject)), absent };
}
