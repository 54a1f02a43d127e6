import { formatPercent } from './format.js';
import { type ResultRow, type Results, scoredSplit } from './results.js';

/**
 * The result in words: what was reached, against the best control and against the ceiling, good or bad.
 *
 * A difference smaller than the spread over seeds of the two rows together is called so.
 *
 * @example
 * ```ts
 * import { headline } from '@bpc/bench';
 * const row = (name: string, kind: 'control' | 'learned', mean: number) => ({ name, kind, metrics: { accuracy: { mean, std: 0.01, n: 3 } } });
 * const task = { dataset: 'mnist', method: 'BPC-CD', ipc: 1, network: 'ConvNet' };
 * console.log(headline({ task, rows: [row('random', 'control', 0.56), row('learned', 'learned', 0.86)] }));
 * // One learned image per class reaches 86.0 % test accuracy on mnist, 30.0 points above the best control (random, 56.0 %).
 * ```
 */
export function headline(results: Pick<Results, 'task' | 'rows'>): string {
  const { dataset, ipc } = results.task;
  const learned = best(results.rows, 'learned');
  const control = best(results.rows, 'control');
  const ceiling = best(results.rows, 'ceiling');
  const images = ipc === 1 ? 'One learned image per class reaches' : `${ipc} learned images per class reach`;
  if (learned === undefined) return `No learned coreset was evaluated on ${dataset}.`;
  const parts = [`${images} ${formatPercent(learned.accuracy.mean)} ${scoredSplit(results.task)} accuracy on ${dataset}`];
  if (control !== undefined)
    parts.push(`${difference(learned, control)} the best control (${control.name}, ${formatPercent(control.accuracy.mean)})`);
  const first = parts.join(', ');
  if (ceiling === undefined) return `${first}.`;
  return `${first}, and ${difference(learned, ceiling)} the same network on all training data (${formatPercent(ceiling.accuracy.mean)}).`;
}

type Scored = { readonly name: string; readonly accuracy: { readonly mean: number; readonly std: number } };

function best(rows: readonly ResultRow[], kind: ResultRow['kind']): Scored | undefined {
  const scored = rows.flatMap((row) => {
    const accuracy = row.kind === kind ? row.metrics['accuracy'] : undefined;
    return accuracy === undefined ? [] : [{ name: row.name, accuracy }];
  });
  return scored.sort((a, b) => b.accuracy.mean - a.accuracy.mean)[0];
}

function difference(a: Scored, b: Scored): string {
  const gap = a.accuracy.mean - b.accuracy.mean;
  const points = `${(100 * Math.abs(gap)).toFixed(1)} points ${gap < 0 ? 'below' : 'above'}`;
  const spread = Math.hypot(a.accuracy.std, b.accuracy.std);
  return Math.abs(gap) < spread ? `${points} (within the spread over seeds)` : points;
}
