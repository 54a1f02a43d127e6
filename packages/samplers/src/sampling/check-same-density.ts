import { CheckpointError } from '@bpc/core';

/** How far a log density may be from the saved one where last bits may differ: float32 runtimes against float64. */
const CLOSE = 1e-3;

/**
 * Refuses to go on with another model: functions and data have no names to compare, but the log density at the saved position
 * must be what it was, to the last bit (or nearly, with `allowInexact`).
 *
 * @throws CheckpointError with both values.
 */
export function checkSameDensity(chain: number, saved: Float64Array, now: number, allowInexact: boolean): void {
  const [before = Number.NaN] = saved;
  if (Object.is(before, now)) return;
  if (allowInexact && Math.abs(before - now) <= CLOSE * (1 + Math.abs(before))) return;
  throw new CheckpointError(
    `chain ${chain} was saved with another model or other data: its log density was ${before} where it is ${now} now`,
    'resume with the same model and data, or choose another name',
  );
}
