import type { Reduce } from '../../../ir/index.js';
import { LARGE_PRODUCT } from '../program.js';
import type { Kernel, Machine } from './machine.js';

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

/** Σ log(1 + t) in the register `sum`, with a running Π(1 + t) − 1 in the register `product`. */
export function logSum(machine: Machine, sum: number, product: number): { clear(): void; fold: Kernel; finish(): void } {
  const take = () => {
    const { scalars } = machine;
    scalars[sum] = (scalars[sum] as number) + Math.log1p(scalars[product] as number);
    scalars[product] = 0;
  };
  return {
    clear() {
      machine.scalars[product] = 0;
    },
    fold(r, n, d) {
      const { scalars } = machine;
      let running = scalars[product] as number;
      for (let i = 0; i < n; i++) {
        const t = r[d + i] as number;
        running += t + running * t;
        if (running > LARGE_PRODUCT) {
          scalars[product] = running;
          take();
          running = 0;
        }
      }
      scalars[product] = running;
    },
    finish: take,
  };
}

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
