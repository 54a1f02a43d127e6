import { formatValue, metricName } from '../report/format.js';
import { ownInit } from './statistics/compare-cells.js';
import type { CellResult, Comparison, Finding } from './table-results.js';

/** `0.012`, `< 0.001`. */
export const formatP = (p: number): string => (p < 0.001 ? '< 0.001' : p.toFixed(3));

/** A difference with a real minus sign, and no sign before nothing. */
export function formatDifference(metric: string, value: number): string {
  const text = formatValue(metric, value);
  return Number(text) === 0 ? formatValue(metric, 0) : text.replace('-', '−');
}

/** A metric in the middle of a sentence. */
const nameOf = (metric: string): string => metricName(metric).replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());

const units: Readonly<Record<string, string>> = { accuracy: 'points of accuracy', nll: 'nats of NLL' };
const unit = (metric: string): string => units[metric] ?? nameOf(metric);
// Of every other metric, less is better.
const moreIsBetter = new Set(['accuracy']);

/** Whether a difference is in favour of the first row. */
export const isBetter = (metric: string, difference: number): boolean => (moreIsBetter.has(metric) ? difference > 0 : difference < 0);

/** A difference that its own interval, not adjusted for the number of comparisons, tells from 0. */
export const isClear = ({ low, high }: Comparison): boolean => low > 0 || high < 0;

const place = (scope: string): string => {
  const [dataset = '', ipc] = scope.split('/');
  return `On ${dataset} with ${ipc} ${ipc === '1' ? 'image' : 'images'} per class`;
};
const where = ({ cells, scope }: Comparison): string => (cells.length > 1 ? `Pooled over ${cells.length} cells` : place(scope));

interface Told {
  readonly comparison: Comparison;
  /** The other row, and rows with the very same figures. */
  readonly names: readonly string[];
}

/** A method's comparisons with rows of equal figures as one. */
function told(comparisons: readonly Comparison[]): Told[] {
  const groups = new Map<string, { comparison: Comparison; names: string[] }>();
  for (const comparison of comparisons) {
    const { of, to, scope, metric, family, mean, standardError } = comparison;
    const key = JSON.stringify([of, scope, metric, family, mean, standardError]);
    const group = groups.get(key) ?? { comparison, names: [] };
    group.names.push(to);
    groups.set(key, group);
  }
  return [...groups.values()];
}

const second = (names: readonly string[]): string => names.map((name) => (name === ownInit ? 'its own start (init)' : name)).join(' = ');
const first = (names: readonly string[], of: string): string =>
  names.map((name) => (name === ownInit ? `the start of ${of} (init)` : name)).join(' = ');

function interval({ metric, low, high, mean }: Comparison): string {
  // The amount is told without its sign, so the interval is turned with it.
  const [from, to] = mean < 0 ? [-high, -low] : [low, high];
  return `95 % interval ${formatDifference(metric, from)} to ${formatDifference(metric, to)}`;
}

function sentence({ comparison, names }: Told): string {
  const { metric, of, mean, holm } = comparison;
  const amount = `${formatValue(metric, Math.abs(mean))} ${unit(metric)}`;
  if (mean === 0) return `${where(comparison)}, ${of} and ${second(names)} have the same ${nameOf(metric)}.`;
  if (!isClear(comparison)) {
    const side = isBetter(metric, mean) ? 'ahead of' : 'behind';
    return `${where(comparison)}, ${of} is ${amount} ${side} ${second(names)}, within chance (${interval(comparison)}).`;
  }
  const beats = isBetter(metric, mean) ? `${of} beats ${second(names)}` : `${first(names, of)} beats ${of}`;
  const weak = holm <= 0.05 ? '' : ': not clear once adjusted';
  return `${where(comparison)}, ${beats} by ${amount} (${interval(comparison)}, Holm-adjusted p ${formatP(holm)}${weak}).`;
}

const failed = ({ dataset, ipc, row, failure }: CellResult): string =>
  `${place(`${dataset}/${ipc}`)}, ${row} failed: ${failure?.message ?? 'no reason given'}.`;

/** What is behind a control by less than chance, a line for each cell, metric and control. */
function withinChance(all: readonly Told[]): string[] {
  const lines = new Map<string, string[]>();
  for (const { comparison, names } of all) {
    const { metric, of, mean } = comparison;
    const key = `${where(comparison)}, ${names.map((name) => (name === ownInit ? 'the own start (init)' : name)).join(' = ')} is ahead in ${nameOf(metric)} of`;
    lines.set(key, [...(lines.get(key) ?? []), `${of} (${formatValue(metric, Math.abs(mean))})`]);
  }
  return [...lines].map(([key, rows]) => `${key} ${rows.join(', ')}.`);
}

/**
 * What the numbers say, in plain sentences under headings: what failed; every method against the controls over all cells; where
 * a control beats a method, or is ahead within chance; where one method beats another. Good or bad.
 *
 * "Beats" means that the 95 % interval of the paired difference does not hold 0; whether that survives the adjustment for the
 * number of comparisons is said too.
 */
export function findings(cells: readonly CellResult[], comparisons: readonly Comparison[], metrics: readonly string[]): Finding[] {
  const of = (family: string): Told[] =>
    metrics.flatMap((metric) => told(comparisons.filter((one) => one.metric === metric && one.family === family)));
  const pooled = of('methods against controls, pooled');
  const byCell = of('methods against controls, by cell');
  const behind = byCell.filter(({ comparison: { metric, mean } }) => mean !== 0 && !isBetter(metric, mean));
  const methods = [...of('methods against methods, pooled'), ...of('methods against methods, by cell')];
  const clear = ({ comparison }: Told) => isClear(comparison);
  const all: Finding[] = [
    { title: 'Failed', sentences: cells.filter(({ status }) => status === 'failed').map(failed) },
    { title: 'Methods against controls', sentences: (pooled.length > 0 ? pooled : byCell).map(sentence) },
    { title: 'Where a control beats a method', sentences: behind.filter(clear).map(sentence) },
    { title: 'Where a control is ahead of a method, within chance', sentences: withinChance(behind.filter((one) => !clear(one))) },
    { title: 'Where one method beats another', sentences: methods.filter(clear).map(sentence) },
  ];
  return all.filter(({ sentences }) => sentences.length > 0);
}
