import type { Reduce } from '../../../ir/index.js';

/** Folds r[from … to) into a running value, in order. */
export const foldLanes: Readonly<Record<Reduce, (r: Float64Array, from: number, to: number, value: number) => number>> = {
  Sum(r, from, to, value) {
    let sum = value;
    for (let i = from; i < to; i++) sum += r[i] as number;
    return sum;
  },
  Prod(r, from, to, value) {
    let product = value;
    for (let i = from; i < to; i++) product *= r[i] as number;
    return product;
  },
  Max(r, from, to, value) {
    let most = value;
    for (let i = from; i < to; i++) most = Math.max(most, r[i] as number);
    return most;
  },
  Min(r, from, to, value) {
    let least = value;
    for (let i = from; i < to; i++) least = Math.min(least, r[i] as number);
    return least;
  },
};

type Accumulate = (target: Float64Array, addresses: Int32Array, r: Float64Array, from: number, n: number) => void;

/** Folds r[from … from + n) into memory, in order; a negative address is left out. */
export const accumulateLanes: Readonly<Record<Reduce, Accumulate>> = {
  Sum(target, addresses, r, from, n) {
    for (let i = 0; i < n; i++) {
      const at = addresses[i] as number;
      if (at >= 0) target[at] = (target[at] as number) + (r[from + i] as number);
    }
  },
  Prod(target, addresses, r, from, n) {
    for (let i = 0; i < n; i++) {
      const at = addresses[i] as number;
      if (at >= 0) target[at] = (target[at] as number) * (r[from + i] as number);
    }
  },
  Max(target, addresses, r, from, n) {
    for (let i = 0; i < n; i++) {
      const at = addresses[i] as number;
      if (at >= 0) target[at] = Math.max(target[at] as number, r[from + i] as number);
    }
  },
  Min(target, addresses, r, from, n) {
    for (let i = 0; i < n; i++) {
      const at = addresses[i] as number;
      if (at >= 0) target[at] = Math.min(target[at] as number, r[from + i] as number);
    }
  },
};
