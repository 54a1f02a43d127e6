/**
 * Indices that sort `values`, equal ones in their order; NaN is not expected.
 *
 * A bottom-up merge sort: sorting indices with a comparison function takes several times as long.
 */
export function sortedOrder(values: Float64Array): Uint32Array {
  const n = values.length;
  let from = new Uint32Array(n);
  let to = new Uint32Array(n);
  for (let i = 0; i < n; i++) from[i] = i;
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const middle = Math.min(start + width, n);
      const end = Math.min(start + 2 * width, n);
      let a = start;
      let b = middle;
      for (let k = start; k < end; k++) {
        const left = a < middle && (b >= end || (values[from[a] as number] as number) <= (values[from[b] as number] as number));
        to[k] = from[left ? a++ : b++] as number;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Indices that sort |values − centre|, from those that sort the values: their two sides, merged outwards. */
export function foldedOrder(values: Float64Array, order: Uint32Array, centre: number): Uint32Array {
  const folded = new Uint32Array(order.length);
  let above = 0;
  while (above < order.length && (values[order[above] as number] as number) < centre) above++;
  let below = above - 1;
  for (let k = 0; k < folded.length; k++) {
    const down = below < 0 ? Number.POSITIVE_INFINITY : Math.abs((values[order[below] as number] as number) - centre);
    const up = above >= order.length ? Number.POSITIVE_INFINITY : Math.abs((values[order[above] as number] as number) - centre);
    folded[k] = order[below >= 0 && (above >= order.length || down <= up) ? below-- : above++] as number;
  }
  return folded;
}

/** The values in an order. */
export function inOrder(values: Float64Array, order: Uint32Array): Float64Array {
  const ordered = new Float64Array(order.length);
  for (let k = 0; k < order.length; k++) ordered[k] = values[order[k] as number] as number;
  return ordered;
}
