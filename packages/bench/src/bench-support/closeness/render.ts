import { textTable } from '../../cli/text-table.js';
import type { MetricSummary } from '../../report/results.js';
import { closenessMetrics, type MetricName, type SamplingRecord } from './metrics.js';
import type { Settings } from './spaces.js';
import type { CaseStudy, MethodStudy } from './study.js';
import { type Comparison, compareWithRandom, reportedMetrics, summaryOf } from './summary.js';

/** Enough digits to tell methods apart, whatever the unit. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e5) return value.toExponential(1);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

const spread = (summary: MetricSummary | undefined): string =>
  summary === undefined ? '-' : summary.n === 1 ? digits(summary.mean) : `${digits(summary.mean)} ± ${digits(summary.std)}`;

const showSettings = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

/** What the sampler said about all coresets of a method, at its worst. */
function worstSampling({ seeds }: MethodStudy): string[] {
  const records = seeds.flatMap(({ sampling }) => sampling ?? []);
  const of = (pick: (...values: number[]) => number, get: (record: SamplingRecord) => number | undefined) => {
    const values = records.flatMap((record) => get(record) ?? []);
    return values.length === 0 ? undefined : pick(...values);
  };
  const rhat = of(Math.max, ({ maximumRhat, logDensityRhat }) => maximumRhat ?? logDensityRhat);
  const ess = of(Math.min, ({ minimumEss, logDensityEss }) => minimumEss ?? logDensityEss);
  return [rhat === undefined ? '-' : rhat.toFixed(3), ess === undefined ? '-' : ess.toFixed(0)];
}

function figures(study: CaseStudy, metrics: readonly MetricName[]): string {
  const header = ['', ...metrics.map((metric) => closenessMetrics[metric].title), 'R-hat', 'ESS', 'diverged'];
  const rows = study.methods.map((row) => [
    row.method,
    ...metrics.map((metric) => spread(summaryOf(row, metric))),
    ...worstSampling(row),
    `${row.seeds.filter(({ diverged }) => diverged !== undefined).length}`,
  ]);
  const floor = ['noise floor', ...metrics.map((metric) => digits(study.floor[metric] ?? Number.NaN)), '-', '-', '-'];
  return textTable(header, [...rows, ...(study.references.length > 1 ? [floor] : [])]);
}

function differences(comparisons: readonly Comparison[], metrics: readonly MetricName[]): string {
  const methods = [...new Set(comparisons.map(({ method }) => method))];
  const rows = methods.map((method) => [
    method,
    ...metrics.map((metric) => {
      const found = comparisons.find((each) => each.method === method && each.metric === metric);
      if (found === undefined) return '-';
      const { mean, low, high } = found.difference;
      return `${digits(mean)} (${digits(low)} to ${digits(high)})`;
    }),
  ]);
  return textTable(['minus random, 95 % interval', ...metrics.map((metric) => closenessMetrics[metric].title)], rows);
}

/** In words, what the intervals say after adjustment. */
function statements(comparisons: readonly Comparison[]): string[] {
  const methods = [...new Set(comparisons.map(({ method }) => method))];
  const listed = (method: Comparison['method'], verdict: Comparison['verdict']) =>
    comparisons.filter((each) => each.method === method && each.verdict === verdict).map(({ metric }) => closenessMetrics[metric].title);
  return methods.map((method) => {
    const [better, worse, unclear] = (['better', 'worse', 'unclear'] as const).map((verdict) => listed(method, verdict));
    const parts = [
      [better, 'nearer the true posterior than random points in'],
      [worse, 'FARTHER from it than random points in'],
      [unclear, 'no difference shown in'],
    ] as const;
    return `${method}: ${parts.flatMap(([metrics, words]) => (metrics === undefined || metrics.length === 0 ? [] : [`${words} ${metrics.join(', ')}`])).join('; ')}`;
  });
}

/** The usual demands on every parameter: R-hat at most 1.01, bulk ESS at least 100 per chain. */
const hasConverged = ({ maximumRhat = Number.POSITIVE_INFINITY, minimumEss = 0, chains }: SamplingRecord): boolean =>
  maximumRhat <= 1.01 && minimumEss >= 100 * chains;

function referenceLines({ references, floor, comparesParameters }: CaseStudy): string[] {
  if (references.length === 0) return ['true posterior: closed form, as are those of coresets'];
  const show = (value: number | undefined, places: number) => value?.toFixed(places) ?? 'none';
  const runs = references.map(
    (run, i) =>
      `full data, run ${i + 1}: ${run.chains} chains × ${run.draws} draws, largest R-hat ${show(run.maximumRhat, 3)}, smallest bulk ESS ${show(run.minimumEss, 0)}; ` +
      `log density R-hat ${show(run.logDensityRhat, 3)}, ESS ${show(run.logDensityEss, 0)}; ${run.divergentPercent.toFixed(2)} % divergent`,
  );
  if (comparesParameters) {
    const sound = references.every(hasConverged);
    return sound
      ? runs
      : [...runs, 'The runs on the full data have NOT converged: what follows is compared with something else than the true posterior.'];
  }
  const apart = `${digits(floor.meanError ?? Number.NaN)} standard deviations in means and ${digits(floor.sdError ?? Number.NaN)} in standard deviations of weights`;
  return [
    ...runs,
    `The posterior has many modes (units can be permuted, signs flipped): the two runs on the full data are ${apart} apart,`,
    'so that weights are not compared, and predictives are. R-hat and ESS of coresets are those of the log density.',
  ];
}

function selectionLines({ methods, trials, selectionSeeds }: CaseStudy): string[] {
  const chosen = methods.flatMap(({ method, trials: tried, chosen: place }) => {
    const best = place === undefined ? undefined : tried[place];
    if (best === undefined) return [];
    const failed = tried.filter(({ score }) => score === undefined).length;
    const note = failed === 0 ? '' : `; ${failed} of ${tried.length} diverged`;
    return [
      `  ${method}: ${showSettings(best.settings)} (total variation ${best.score === undefined ? 'none' : digits(best.score)}${note})`,
    ];
  });
  const seeds = selectionSeeds === 1 ? 'one seed' : `${selectionSeeds} seeds`;
  return [
    `settings: ${trials} ${trials === 1 ? 'trial' : 'trials'} for every method, each on ${seeds} that none of the figures is from; the smallest total variation on validation inputs:`,
    ...chosen,
  ];
}

/** The tables of a case for people. */
export function renderCase(study: CaseStudy): string {
  const metrics = reportedMetrics(study);
  const { train, points, parameters, validation } = study.counts;
  const comparisons = compareWithRandom(study);
  const seeds = study.methods[0]?.seeds.length ?? 0;
  return [
    `${study.title}: N = ${train}, M = ${points}, ${parameters} parameters, ${validation} validation inputs, ${seeds} seeds, mean ± standard deviation`,
    ...referenceLines(study),
    ...selectionLines(study),
    '',
    figures(study, metrics),
    '',
    differences(comparisons, metrics),
    '',
    ...statements(comparisons),
  ].join('\n');
}
