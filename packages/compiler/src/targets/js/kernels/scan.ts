import type { AxisGeometry } from '../calls.js';

/** Running sums along an axis. */
export function CumSum(g: AxisGeometry, out: Float64Array, x: Float64Array): void {
  for (let o = 0; o < g.outer; o++) {
    for (let i = 0; i < g.inner; i++) {
      let sum = 0;
      for (let k = 0; k < g.length; k++) {
        const at = (o * g.length + (g.reverse ? g.length - 1 - k : k)) * g.inner + i;
        const before = sum;
        sum += x[at] as number;
        out[at] = g.exclusive ? before : sum;
      }
    }
  }
}

/** Index of the first maximum along an axis. */
export function ArgMax(g: AxisGeometry, out: Float64Array, x: Float64Array): void {
  for (let o = 0; o < g.outer; o++) {
    for (let i = 0; i < g.inner; i++) {
      let best = 0;
      for (let k = 1; k < g.length; k++) {
        if ((x[(o * g.length + k) * g.inner + i] as number) > (x[(o * g.length + best) * g.inner + i] as number)) best = k;
      }
      out[o * g.inner + i] = best;
    }
  }
}
