import { type MetricSummary, type ResultRow, summarise } from '../report/results.js';
import type { Figures, Score } from './score.js';

/** The parts of a table's row that come from scores. */
export type ScoredRow = Required<Pick<ResultRow, 'metrics' | 'legacy'>> & Pick<ResultRow, 'inference' | 'networks'>;

function over(all: readonly Figures[]): Record<string, MetricSummary> {
  const [first = {}] = all;
  return Object.fromEntries(Object.keys(first).map((name) => [name, summarise(all.map((figures) => figures[name] ?? Number.NaN))]));
}

/**
 * Mean ± standard deviation over the seeds of a row; over the single networks of all seeds where each was scored alone, since
 * that is what a table of point estimates prints.
 *
 * @throws ConfigError if a figure is not finite.
 * @example
 * ```ts
 * import { summariseScores } from '@bpc/bench';
 * const seed = (accuracy: number) => ({ inference: 'posterior' as const, metrics: { accuracy }, legacy: {}, reliability: [] });
 * console.log(summariseScores([seed(0.8), seed(0.9)]).metrics); // { accuracy: { mean: 0.85, std: 0.05, n: 2 } }
 * ```
 */
export function summariseScores(scores: readonly Score[]): ScoredRow {
  const [first] = scores;
  const networks = first?.networks?.length;
  const single = scores.flatMap(({ networks: own, metrics, legacy }) => own ?? [{ metrics, legacy }]);
  return {
    ...(first === undefined ? {} : { inference: first.inference }),
    ...(networks === undefined ? {} : { networks }),
    metrics: over(single.map(({ metrics }) => metrics)),
    legacy: over(single.map(({ legacy }) => legacy)),
  };
}
