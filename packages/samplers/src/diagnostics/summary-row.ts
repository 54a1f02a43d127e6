import type { Series } from '../draws.js';
import { type Flaw, flawOf, momentsOf, tableOf } from './chains.js';
import { essBulk, essTail } from './ess.js';
import { mcseMean } from './mcse.js';
import { sortedQuantile } from './quantile.js';
import { rhat } from './rhat.js';

/** What the draws say about one scalar quantity, in its own unit where it has one. */
export interface SummaryRow {
  /** `theta[2]`, indices from 0. */
  readonly name: string;
  readonly mean: number;
  /** Divisor S − 1. */
  readonly standardDeviation: number;
  /** One for each of the summary's probabilities, by linear interpolation (type 7). */
  readonly quantiles: readonly number[];
  /** Monte Carlo standard error of the mean. */
  readonly mcseMean: number;
  readonly essBulk: number;
  readonly essTail: number;
  readonly rhat: number;
  /** Why the last four are NaN, if they are. */
  readonly flaw?: Flaw;
}

/** The row of one quantity. */
export function summaryRow({ name, chains }: Series, probabilities: readonly number[]): SummaryRow {
  const table = tableOf(chains);
  const { values } = table;
  const flaw = flawOf(table);
  const { mean, variance } = momentsOf(values);
  const sorted = values.slice().sort();
  return {
    name,
    mean,
    standardDeviation: Math.sqrt((variance * values.length) / (values.length - 1)),
    // NaN sorts to the end, where a quantile of the others would overlook it.
    quantiles: probabilities.map((p) => (values.some(Number.isNaN) ? Number.NaN : sortedQuantile(sorted, p))),
    mcseMean: mcseMean(chains),
    essBulk: essBulk(chains),
    essTail: essTail(chains),
    rhat: rhat(chains),
    ...(flaw === undefined ? {} : { flaw }),
  };
}
