import type { SelectionGeometry } from '../calls.js';

/**
 * Positions of the largest elements of each row, largest first, equal ones in order. The rows are the innermost axis; the
 * output has `kept` columns. NaN counts as smaller than any number.
 */
export function TopK(g: SelectionGeometry, out: Float64Array, x: Float64Array): void {
  const k = g.kept;
  for (let o = 0; o < g.outer; o++) {
    const at = o * g.length;
    const rank = (i: number): number => (Number.isNaN(x[at + i]) ? Number.NEGATIVE_INFINITY : (x[at + i] as number));
    const order = Array.from({ length: g.length }, (_, i) => i).sort((i, j) => (rank(i) === rank(j) ? i - j : rank(j) > rank(i) ? 1 : -1));
    for (let i = 0; i < k; i++) out[o * k + i] = order[i] as number;
  }
}
