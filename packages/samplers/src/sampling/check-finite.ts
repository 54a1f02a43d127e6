import { NonFiniteError } from '@bpc/core';
import { sizeOf } from '../transforms/support.js';
import type { Layout } from './layout.js';

/** @throws NonFiniteError naming the first parameter that is NaN or infinite. */
export function checkFinite(chain: number, transition: number, position: Float64Array, layout: Layout): void {
  if (position.every(Number.isFinite)) return;
  let offset = 0;
  const lost = layout.unconstrained.find(({ shape }) => {
    const end = offset + sizeOf(shape);
    const values = position.subarray(offset, end);
    offset = end;
    return !values.every(Number.isFinite);
  });
  throw new NonFiniteError(
    `chain ${chain} lost '${lost?.name ?? ''}' in transition ${transition}: it is NaN or infinite`,
    transition - 1,
    'lower the step size; clip or rescale gradients if they are huge',
  );
}
