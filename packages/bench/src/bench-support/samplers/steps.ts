import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InterruptedError } from '@bpc/core';
import type { ReferenceQuantity } from '@bpc/samplers/testing';
import type { CommandContext } from '../../cli/context.js';
import { type BenchRatio, type BenchRow, ratiosOf } from '../bench-result.js';
import { type Contestant, type RaceOptions, race } from '../race.js';
import { smallModels } from '../small-models/models.js';
import { askOnce } from '../subject-process.js';
import { importanceReference } from './importance-reference.js';
import type { SamplerBenchOptions } from './options.js';
import { posteriorDifference, reportedOf, reportedSeries } from './posteriors.js';
import { type StepsKernel, type StepsSubject, type StepsTask, stepsCommand, stepsKernels, stepsSubjects } from './steps-task.js';

const model = 'logistic';

/**
 * Step sizes for which draws pass as draws of the posterior: λ·(largest curvature)/2 is 2 %, which is the error of the
 * unadjusted sampler's variances; ten leapfrogs of 0.03 are about three standard deviations.
 */
const settings: Readonly<Record<StepsKernel, Pick<StepsTask, 'stepSize' | 'leapfrogSteps' | 'block'> & { readonly title: string }>> = {
  ula: { title: 'Langevin steps, logistic 1000×10', stepSize: 2e-4, leapfrogSteps: 1, block: 1000 },
  hmc: { title: 'HMC(10) steps, logistic 1000×10', stepSize: 0.03, leapfrogSteps: 10, block: 100 },
};

/** Blocks whose law is looked at, per round that is timed. */
const judgedBlocks = 15;

/** Ours over JAX's, in blocks and by single calls. */
const blockGoal = 1;
const callGoal = 1.2;

const subjectNames = Object.keys(stepsSubjects) as StepsSubject[];

/** Whether the steps that are timed sample the posterior; if not, what they do instead. */
async function judge(
  task: StepsTask,
  reference: readonly ReferenceQuantity[],
  { rounds, python }: SamplerBenchOptions,
  folder: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const out = join(folder, 'steps');
  const answer = await askOnce<true>(stepsCommand({ ...task, blocks: judgedBlocks * rounds, out }, python), signal);
  if (signal.aborted) throw new InterruptedError('stopped while judging steps', 0, 'start the same command again');
  if ('absent' in answer) return answer.absent;
  const bytes = readFileSync(out);
  rmSync(out);
  const positions = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const { overLimit, worst } = posteriorDifference(reportedSeries(reportedOf[model], positions, 1), reference);
  return overLimit <= 1 ? undefined : `its draws are of something else: ${worst}`;
}

/** Rows in microseconds per step, from rows in milliseconds per block. */
export function perStep(rows: readonly BenchRow[], block: number): BenchRow[] {
  const scaled = (ms: number | undefined) => (ms === undefined ? undefined : (1000 * ms) / block);
  return rows.map((row) => {
    const [median, min] = [scaled(row.median), scaled(row.min)];
    return { ...row, unit: 'µs', ...(median === undefined ? {} : { median }), ...(min === undefined ? {} : { min }) };
  });
}

/** Ours over JAX's, like with like. */
export function stepsRatios(rows: readonly BenchRow[]): BenchRatio[] {
  const of = (...names: readonly StepsSubject[]) => rows.filter(({ subject }) => names.some((each) => each === subject));
  return [
    ...ratiosOf(of('js', 'jax:scan'), 'js', () => blockGoal),
    ...ratiosOf(of('js:float32', 'jax:scan-float32'), 'js:float32'),
    ...ratiosOf(of('js:call', 'jax:call'), 'js:call', () => callGoal),
  ];
}

/** Steps of Langevin and of HMC on the logistic regression, of everyone whose steps sample its posterior. */
export async function stepsCase(
  options: SamplerBenchOptions,
  folder: string,
  context: CommandContext,
  notes: Pick<RaceOptions, 'load' | 'onVersion'>,
): Promise<{ readonly rows: BenchRow[]; readonly ratios: BenchRatio[] }> {
  const { rounds, secondsPerRound, python } = options;
  const reference = await importanceReference(model);
  const dataFile = join(folder, `${model}.json`);
  writeFileSync(dataFile, JSON.stringify(smallModels[model]().data));
  const position = reference.map(({ mean }) => mean);
  const rows: BenchRow[] = [];
  for (const kernel of stepsKernels) {
    const { title, ...own } = settings[kernel];
    const tasks = subjectNames.map(
      (subject): StepsTask => ({ model, kernel, subject, ...stepsSubjects[subject], ...own, position, seed: 1, dataFile }),
    );
    const phase = context.reporter.phase(`${title}: whose draws are right`, tasks.length);
    const contestants: Contestant[] = [];
    try {
      for (const [i, task] of tasks.entries()) {
        const skip = await judge(task, reference, options, folder, context.signal);
        contestants.push({ subject: task.subject, commands: [stepsCommand(task, python)], skip });
        phase.update(i + 1);
      }
    } finally {
      phase.finish();
    }
    rows.push(...perStep(await race({ name: title, contestants, rounds, secondsPerRound, ...notes }, context), own.block));
  }
  const ratios = stepsKernels.flatMap((kernel) => stepsRatios(rows.filter((row) => row.case === settings[kernel].title)));
  return { rows, ratios };
}
