import type { Tensor } from '@tensorflow/tfjs-core';
import { isTensor } from '../tree.js';

/** Host numbers, or a tensor that can be read synchronously. */
export type Numbers = Tensor | ArrayLike<number> | number;

/** Values on the host. */
export function hostNumbers(value: Numbers): Float64Array {
  if (typeof value === 'number') return Float64Array.of(value);
  return Float64Array.from(isTensor(value) ? value.dataSync() : value);
}

/** max|a − b| / max(max|b|, floor): the largest deviation relative to the largest expected entry. NaN counts as infinite. */
export function relativeDeviation(found: Numbers, expected: Numbers, floor = 1e-12): number {
  const [a, b] = [hostNumbers(found), hostNumbers(expected)];
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let deviation = 0;
  let largest = floor;
  a.forEach((value, i) => {
    const difference = Math.abs(value - (b[i] ?? Number.NaN));
    deviation = Math.max(deviation, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    largest = Math.max(largest, Math.abs(b[i] ?? 0));
  });
  return deviation / largest;
}

/**
 * Throws unless `found` is within `tolerance` of `expected`, relative to the largest expected entry.
 *
 * @example
 * ```ts
 * import { assertClose } from '@bpc/core/testing';
 * assertClose('sum', [1, 2], [1, 2.0000001], 1e-6);
 * ```
 */
export function assertClose(name: string, found: Numbers, expected: Numbers, tolerance: number, floor?: number): void {
  const deviation = relativeDeviation(found, expected, floor);
  if (!(deviation <= tolerance)) {
    throw new Error(
      `${name}: relative deviation ${deviation} exceeds ${tolerance}; found [${preview(found)}], expected [${preview(expected)}]`,
    );
  }
}

const preview = (value: Numbers) => Array.from(hostNumbers(value).subarray(0, 6), (x) => Number(x.toPrecision(7))).join(', ');
