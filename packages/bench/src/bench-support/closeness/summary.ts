import { type MetricSummary, summarise } from '../../report/results.js';
import { holm } from '../../table/statistics/holm.js';
import { type Interval, meanInterval } from '../../table/statistics/interval.js';
import { closenessMetrics, type MetricName, metricNames } from './metrics.js';
import type { CaseStudy, MethodStudy } from './study.js';

/** A method against random points of the same seeds. */
export interface Comparison {
  readonly method: MethodStudy['method'];
  readonly metric: MetricName;
  /** Method minus random. */
  readonly difference: Interval;
  /** The p-value, adjusted by Holm's method over all comparisons of the case. */
  readonly holm: number;
  /** Whether the method is nearer the true posterior than random points, or farther; `'unclear'` where the adjusted p exceeds 0.05. */
  readonly verdict: 'better' | 'worse' | 'unclear';
}

/** The metrics that a case reports. */
export const reportedMetrics = ({ comparesParameters }: Pick<CaseStudy, 'comparesParameters'>): readonly MetricName[] =>
  comparesParameters ? metricNames : ['agreement', 'totalVariation'];

/** Mean and spread of a figure over the seeds that have it. */
export function summaryOf({ seeds }: Pick<MethodStudy, 'seeds'>, metric: MetricName): MetricSummary | undefined {
  const values = seeds.flatMap(({ metrics }) => metrics?.[metric] ?? []);
  return values.length === 0 ? undefined : summarise(values);
}

/** Differences by seed: rows of one seed start from the same random points, so that they are pairs. */
function differences(of: MethodStudy, to: MethodStudy, metric: MetricName): number[] {
  return of.seeds.flatMap(({ metrics }, seed) => {
    const [a, b] = [metrics?.[metric], to.seeds[seed]?.metrics?.[metric]];
    return a === undefined || b === undefined ? [] : [a - b];
  });
}

/**
 * Every method against random points: Student's interval of the differences by seed, and a verdict at the level 0.05 after
 * Holm's adjustment over the case. A seed that diverged is in no difference, which flatters the method: see its count.
 */
export function compareWithRandom(study: CaseStudy): Comparison[] {
  const random = study.methods.find(({ method }) => method === 'random');
  if (random === undefined) return [];
  const found = study.methods.flatMap((row) => {
    if (row === random) return [];
    return reportedMetrics(study).flatMap((metric) => {
      const difference = meanInterval(differences(row, random, metric));
      return difference === undefined ? [] : [{ method: row.method, metric, difference }];
    });
  });
  const adjusted = holm(found.map(({ difference }) => difference.p));
  return found.map((each, i) => {
    const p = adjusted[i] ?? 1;
    const nearer = each.difference.mean > 0 === closenessMetrics[each.metric].larger;
    return { ...each, holm: p, verdict: p > 0.05 ? 'unclear' : nearer ? 'better' : 'worse' };
  });
}
