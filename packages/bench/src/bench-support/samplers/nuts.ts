import type { CommandContext } from '../../cli/context.js';
import { type BenchRatio, type BenchRow, median } from '../bench-result.js';
import { type SmallModelName, smallModels } from '../small-models/models.js';
import { importanceReference } from './importance-reference.js';
import { type NutsRunsOptions, nutsRuns, type SubjectRuns, type WorthOfRun } from './nuts-runs.js';
import type { NutsSubject, SamplerBenchOptions } from './options.js';
import { type PosteriorDifference, poolSeries, posteriorDifference, reportedOf, storedReference } from './posteriors.js';

/** What ours should take of the better peer's time: per effective draw when warm, and in all with compilation. */
export const nutsGoals: Readonly<Record<SmallModelName, { readonly warm: number; readonly cold: number }>> = {
  'eight-schools': { warm: 1 / 2.4, cold: 1 / 10 },
  arK: { warm: 1 / 2, cold: 1 / 6 },
  kidiq: { warm: 1 / 2.8, cold: 1 / 4 },
  logistic: { warm: 1 / 1.3, cold: 1 / 3 },
};

/** Microseconds that a leapfrog should take beyond its gradient, at dimension 10. */
const overheadGoal = 0.35;

/** The runs that the goals are about. */
const hasGoals = ({ chains, warmup, draws }: SamplerBenchOptions): boolean => chains === 4 && warmup === 1000 && draws === 1000;

type Figures = { readonly subject: NutsSubject; readonly rows: readonly BenchRow[]; readonly perDraw: number; readonly total: number };

const microsecondsPerDraw = ({ samplingMs, ess }: WorthOfRun) => (1000 * samplingMs) / ess;
const totalMs = ({ compileMs, samplingMs }: WorthOfRun) => compileMs + samplingMs;

function statistics(values: readonly number[]): Pick<BenchRow, 'median' | 'min' | 'max' | 'repeats'> {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), repeats: values.length };
}

/** The rows of one subject, and the two medians that count. */
export function nutsFigures(title: string, { subject, warm, cold, peakRssMb }: SubjectRuns): Figures {
  const of = (f: (run: WorthOfRun) => number) => median(warm.map(f));
  const row = (name: string, unit: BenchRow['unit'], values: readonly number[], more: Partial<BenchRow> = {}): BenchRow => ({
    case: `NUTS, ${title}: ${name}`,
    subject,
    unit,
    ...statistics(values),
    ...more,
  });
  const cores = warm.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / warm.reduce((sum, { samplingMs }) => sum + samplingMs, 0);
  const worth = `minimum bulk ESS ${of(({ ess }) => ess).toFixed(0)}, ${of(({ leapfrogs }) => leapfrogs).toFixed(0)} leapfrogs, ${of(({ divergent }) => divergent)} divergent`;
  const rows = [
    row('warm, per effective draw', 'µs', warm.map(microsecondsPerDraw), { reason: worth }),
    row(
      'warm, all chains',
      'ms',
      warm.map(({ samplingMs }) => samplingMs),
      { cores: Math.round(100 * cores) / 100, peakRssMb },
    ),
    row(
      'cold, compilation',
      'ms',
      cold.map(({ compileMs }) => compileMs),
    ),
    row('cold, compilation and all chains', 'ms', cold.map(totalMs)),
  ];
  return { subject, rows, perDraw: median(warm.map(microsecondsPerDraw)), total: median(cold.map(totalMs)) };
}

/** Ours over the better peer's. */
export function nutsRatios(
  title: string,
  all: readonly Figures[],
  goals: { readonly warm: number; readonly cold: number } | undefined,
): BenchRatio[] {
  const ours = all.find(({ subject }) => subject === 'js');
  const peers = all.filter(({ subject }) => subject !== 'js');
  if (ours === undefined) return [];
  const against = (what: string, figure: 'perDraw' | 'total', goal: number | undefined): BenchRatio[] => {
    const best = [...peers].sort((a, b) => a[figure] - b[figure])[0];
    if (best === undefined) return [];
    const value = ours[figure] / best[figure];
    return [{ name: `js / ${best.subject}, ${what}, ${title}`, value, ...(goal === undefined ? {} : { goal }) }];
  };
  return [...against('time per effective draw, warm', 'perDraw', goals?.warm), ...against('time with compilation', 'total', goals?.cold)];
}

/** Time of a leapfrog beyond its gradient: sampling in all, warm-up included, by the number of leapfrogs. */
function overhead(title: string, { warm, bareMicroseconds }: SubjectRuns, goal: number | undefined): BenchRatio[] {
  if (bareMicroseconds.length === 0) return [];
  const value = median(warm.map(({ samplingMs, leapfrogs }) => (1000 * samplingMs) / leapfrogs)) - median(bareMicroseconds);
  return [{ name: `js, µs per leapfrog beyond the gradient, ${title}`, value, ...(goal === undefined ? {} : { goal }) }];
}

const differenceRatio = (title: string, subject: string, { overLimit, worst, maximumRhat }: PosteriorDifference): BenchRatio => ({
  name: `${subject}, largest |z| over its limit (${worst}; R-hat ${maximumRhat.toFixed(3)}), ${title}`,
  value: overLimit,
  goal: 1,
});

/** NUTS on one model: times of everyone whose draws are of the posterior. */
export async function nutsCase(all: NutsRunsOptions, context: CommandContext): Promise<{ rows: BenchRow[]; ratios: BenchRatio[] }> {
  const { model, options } = all;
  const { title } = smallModels[model]();
  const { folder } = reportedOf[model];
  const reference = folder === undefined ? await importanceReference(model) : storedReference(folder);
  const { present, absent } = await nutsRuns(all, context);
  const rows: BenchRow[] = [];
  const figures: Figures[] = [];
  const ratios: BenchRatio[] = [];
  for (const subject of options.subjects) {
    const runs = present.find((each) => each.subject === subject);
    const missing = (reason: string) => rows.push({ case: `NUTS, ${title}`, subject, unit: 'ms', absent: true, reason });
    if (runs === undefined) {
      missing(absent.get(subject) ?? 'it did not run');
      continue;
    }
    const difference = posteriorDifference(poolSeries(runs.series), reference);
    ratios.push(differenceRatio(title, subject, difference));
    if (!(difference.overLimit <= 1)) {
      missing(`its draws are of something else: ${difference.worst}`);
      continue;
    }
    const found = nutsFigures(title, runs);
    rows.push(...found.rows);
    figures.push(found);
    if (subject === 'js' && model === 'eight-schools') ratios.push(...overhead(title, runs, hasGoals(options) ? overheadGoal : undefined));
  }
  return { rows, ratios: [...nutsRatios(title, figures, hasGoals(options) ? nutsGoals[model] : undefined), ...ratios] };
}
