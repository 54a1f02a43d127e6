import { formatValue, metricName } from '../report/format.js';
import { ownInit } from './statistics/compare-cells.js';
import type { CellResult, Comparison } from './table-results.js';

/** `0.012`, `< 0.001`. */
export const formatP = (p: number): string => (p < 0.001 ? '< 0.001' : p.toFixed(3));

const points: Readonly<Record<string, string>> = { accuracy: 'points of accuracy', nll: 'nats of NLL' };
const unit = (metric: string): string => points[metric] ?? metricName(metric);
// Of every other metric, less is better.
const more = new Set(['accuracy']);
const isBetter = (metric: string, difference: number): boolean => (more.has(metric) ? difference > 0 : difference < 0);

const rowName = (name: string, of: string): string => (name === ownInit ? `the ${of} start (own init)` : name);
const place = (scope: string): string => {
  const [dataset = '', ipc] = scope.split('/');
  return `On ${dataset} with ${ipc} ${ipc === '1' ? 'image' : 'images'} per class`;
};
const where = (comparison: Comparison): string =>
  comparison.cells.length > 1 ? `Pooled over ${comparison.cells.length} cells` : place(comparison.scope);

/** A difference that the interval by itself, not adjusted for the number of comparisons, tells from 0. */
const isClear = ({ low, high }: Comparison): boolean => low > 0 || high < 0;

function evidence({ metric, low, high, mean, holm }: Comparison): string {
  // The better row is named first, so that the interval is turned with it.
  const [from, to] = mean < 0 ? [-high, -low] : [low, high];
  const adjusted = holm <= 0.05 ? '' : ', not clear once adjusted';
  return `95 % interval ${formatValue(metric, from)} to ${formatValue(metric, to)}, Holm-adjusted p ${formatP(holm)}${adjusted}`;
}

function sentence(comparison: Comparison): string {
  const { metric, of, to, mean } = comparison;
  const amount = `${formatValue(metric, Math.abs(mean))} ${unit(metric)}`;
  const other = rowName(to, of);
  if (mean === 0) return `${where(comparison)}, ${of} and ${other} are equal.`;
  if (!isClear(comparison)) {
    const side = isBetter(metric, mean) ? 'ahead of' : 'behind';
    return `${where(comparison)}, ${of} is ${amount} ${side} ${other}, which cannot be told from chance (${evidence(comparison)}).`;
  }
  const [better, worse] = isBetter(metric, mean) ? [of, other] : [other, of];
  return `${where(comparison)}, ${better} beats ${worse} by ${amount} (${evidence(comparison)}).`;
}

const failed = ({ dataset, ipc, row, failure }: CellResult): string =>
  `${place(`${dataset}/${ipc}`)}, ${row} failed: ${failure?.message ?? 'no reason given'}.`;

/**
 * What the numbers say, in plain sentences: what failed, every method against the controls over all cells, every cell where a
 * control is ahead of a method, every clear difference between methods. Good or bad, and nothing else.
 *
 * @param metrics - about which; NLL and accuracy are told apart by their direction.
 */
export function findings(cells: readonly CellResult[], comparisons: readonly Comparison[], metrics: readonly string[]): string[] {
  const failures = cells.filter(({ status }) => status === 'failed').map(failed);
  const told = comparisons.filter(({ metric }) => metrics.includes(metric));
  const against = (kind: string, pooled: boolean) =>
    told.filter(({ family }) => family.startsWith(`methods against ${kind}`) && family.endsWith('pooled') === pooled);
  const single = new Set(cells.map(({ dataset, ipc }) => `${dataset}/${ipc}`)).size === 1;
  const controlsAhead = against('controls', false).filter(({ metric, mean }) => single || !(isBetter(metric, mean) || mean === 0));
  return [
    ...failures,
    ...against('controls', true).map(sentence),
    ...controlsAhead.map(sentence),
    ...against('methods', true).filter(isClear).map(sentence),
    ...against('methods', false).filter(isClear).map(sentence),
  ];
}
