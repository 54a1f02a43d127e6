import type { Series } from '../draws.js';
import { type Flaw, flawOf, momentsOf, splitChains, tableOf } from './chains.js';
import { effectiveDraws } from './effective-draws.js';
import { tailDraws } from './ess.js';
import { inOrder, sortedOrder } from './order.js';
import { sortedQuantile } from './quantile.js';
import { rankNormalise } from './rank-normalise.js';
import { rhatOfSplit } from './rhat.js';

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

/** The row of one quantity: the numbers of the single diagnostics, with the draws split and sorted once for all of them. */
export function summaryRow({ name, chains }: Series, probabilities: readonly number[]): SummaryRow {
  const table = tableOf(chains);
  const { values } = table;
  const { mean, variance } = momentsOf(values);
  const ofSample = (variance * values.length) / (values.length - 1);
  const flaw = flawOf(table);
  if (flaw !== undefined) {
    const sorted = values.slice().sort();
    // NaN sorts to the end, where a quantile of the others would overlook it.
    const quantiles = probabilities.map((p) => (values.some(Number.isNaN) ? Number.NaN : sortedQuantile(sorted, p)));
    const none = { mcseMean: Number.NaN, essBulk: Number.NaN, essTail: Number.NaN, rhat: Number.NaN };
    return { name, mean, standardDeviation: Math.sqrt(ofSample), quantiles, ...none, flaw };
  }
  const split = splitChains(table);
  const order = sortedOrder(split.values);
  const scores = rankNormalise(split, order);
  // An odd draw in the middle of each chain is in no half.
  const sorted = split.values.length === values.length ? inOrder(split.values, order) : values.slice().sort();
  return {
    name,
    mean,
    standardDeviation: Math.sqrt(ofSample),
    quantiles: probabilities.map((p) => sortedQuantile(sorted, p)),
    mcseMean: Math.sqrt(ofSample / effectiveDraws(split)),
    essBulk: effectiveDraws(scores),
    essTail: tailDraws(table, sorted),
    rhat: rhatOfSplit(split, order, scores),
  };
}
