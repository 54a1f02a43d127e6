import { cpus } from 'node:os';
import type { BenchResult, BenchRow } from '../bench-support/bench-result.js';
import { median } from '../bench-support/bench-result.js';
import { budgetOf } from '../bench-support/closeness/budget.js';
import { metricNames } from '../bench-support/closeness/metrics.js';
import { caseNames, loadProblem } from '../bench-support/closeness/problem.js';
import { renderCase } from '../bench-support/closeness/render.js';
import { type ClosenessSettings, closenessSettings } from '../bench-support/closeness/settings.js';
import { type CaseStudy, studyCase } from '../bench-support/closeness/study.js';
import type { StudyData } from '../bench-support/closeness/study-task.js';
import { type Comparison, compareWithRandom } from '../bench-support/closeness/summary.js';
import { loadMeter } from '../bench-support/load.js';
import type { CommandContext } from '../cli/context.js';
import { formatSeconds } from '../progress/index.js';
import { openRunFolder } from '../run-folder/index.js';
import { exactEnvironment, packageVersions } from '../runtime-choice/environment.js';
import { taskPool } from '../workers/index.js';

/** Raised with every change of the study that stored pieces do not know of. */
const STUDY = 2;

/** What the JSON has beyond rows: every seed, every trial, every comparison. */
export interface ClosenessResult extends BenchResult {
  readonly studies: readonly (CaseStudy & { readonly comparisons: readonly Comparison[] })[];
}

/** One row per case, method and figure, over seeds. */
export function closenessRows({ name, methods }: Pick<CaseStudy, 'name' | 'methods'>): BenchRow[] {
  return methods.flatMap(({ method, seeds }) =>
    metricNames.flatMap((metric): BenchRow[] => {
      const values = seeds.flatMap(({ metrics }) => metrics?.[metric] ?? []);
      if (values.length === 0) return [];
      const unit = metric.startsWith('kl') ? 'nats' : metric.endsWith('Error') ? 'relative error' : 'fraction';
      const [min, max] = [Math.min(...values), Math.max(...values)];
      return [{ case: `${name}, ${metric}`, subject: method, unit, median: median(values), min, max, repeats: values.length }];
    }),
  );
}

const fingerprintOf = ({ quick, seeds }: ClosenessSettings) => ({
  ...{ bench: 'closeness', study: STUDY, quick, seeds, environment: exactEnvironment() },
  budgets: JSON.stringify(caseNames.map((name) => budgetOf(name, quick))),
});

/**
 * `bpc bench closeness`: how near posteriors of coresets are to the posterior of all data, method by method, beside random
 * points and the prior alone. Continues in its folder where an earlier run stopped.
 */
export async function run(context: CommandContext, args: readonly string[]): Promise<void> {
  const settings = closenessSettings(args);
  context.beginWork();
  const { reporter, signal } = context;
  const meter = loadMeter();
  const begun = performance.now();
  const problems = await Promise.all(settings.cases.map((name) => loadProblem(name, settings.quick)));
  const folder = await openRunFolder({ path: settings.out, fingerprint: fingerprintOf(settings) });
  const shared: StudyData = { problems };
  const pool = taskPool({ workers: settings.workers, shared, signal });
  const studies: CaseStudy[] = [];
  try {
    for (const problem of problems) {
      studies.push(await studyCase(problem, budgetOf(problem.name, settings.quick), settings.seeds, { folder, pool, reporter }));
      await pool.release();
      meter.note(problem.name);
    }
  } finally {
    await pool.dispose();
    await folder.release();
  }
  const seconds = (performance.now() - begun) / 1000;
  const environment = {
    node: process.version,
    processor: cpus()[0]?.model.trim(),
    cores: cpus().length,
    workers: settings.workers,
    quick: settings.quick,
    seeds: settings.seeds,
    seconds,
    resumed: folder.resumed,
    load: meter.record(),
    versions: packageVersions(),
  };
  const result: ClosenessResult = {
    bench: 'closeness',
    rows: studies.flatMap(closenessRows),
    ratios: [],
    environment,
    studies: studies.map((study) => ({ ...study, comparisons: compareWithRandom(study) })),
  };
  const notes = [
    `${formatSeconds(seconds)}${folder.resumed ? ', continued from an earlier run' : ''}, ${settings.workers} workers`,
    ...(settings.quick ? ['--quick: far too little work for these figures to mean anything'] : []),
  ];
  context.print(context.json ? `${JSON.stringify(result)}\n` : `${[...studies.map(renderCase), notes.join('\n')].join('\n\n')}\n`);
}
