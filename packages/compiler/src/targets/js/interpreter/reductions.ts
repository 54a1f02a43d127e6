import type { Reduce } from '../../../ir/index.js';

type Fold = (r: Float64Array, from: number, to: number, into: Float64Array, at: number) => void;

/** Folds r[from … to) into a running value in memory, in order. A value that was returned would be boxed. */
export const foldLanes: Readonly<Record<Reduce, Fold>> = {
  Sum(r, from, to, into, at) {
    let sum = into[at] as number;
    for (let i = from; i < to; i++) sum += r[i] as number;
    into[at] = sum;
  },
  Prod(r, from, to, into, at) {
    let product = into[at] as number;
    for (let i = from; i < to; i++) product *= r[i] as number;
    into[at] = product;
  },
  Max(r, from, to, into, at) {
    let most = into[at] as number;
    for (let i = from; i < to; i++) most = Math.max(most, r[i] as number);
    into[at] = most;
  },
  Min(r, from, to, into, at) {
    let least = into[at] as number;
    for (let i = from; i < to; i++) least = Math.min(least, r[i] as number);
    into[at] = least;
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
