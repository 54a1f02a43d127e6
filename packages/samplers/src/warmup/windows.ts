import { checkWarmup } from '../nuts/check.js';

/** Stan's schedule of a warm-up, in iterations counted from 0. */
export interface WarmUpWindows {
  /** Draws before this one are not used for the metric: the chain is still on its way. */
  readonly start: number;
  /** Draws from this one on are not used for the metric: the step size settles for the last one. */
  readonly end: number;
  /** Iterations after which the metric is estimated anew, ascending: the last one of each window. */
  readonly updates: readonly number[];
}

/**
 * When Stan estimates the metric in a warm-up of so many iterations: after windows that double, 25, 50, 100, … draws, between
 * 75 first and 50 last iterations without; a window that no full one could follow is stretched to the end.
 *
 * From 151 to 199 iterations that is the first window, where Stan has another one, of 1 to 49 draws, after it. Below 150
 * iterations the parts are 15 %, one window of 75 %, and 10 %; below 20 there is no metric.
 *
 * @throws ConfigError on a negative or fractional number.
 * @example
 * ```ts
 * import { warmUpWindows } from '@bpc/samplers';
 * console.log(warmUpWindows(1000).updates); // 99, 149, 249, 449, 949
 * ```
 */
export function warmUpWindows(warmup: number): WarmUpWindows {
  checkWarmup(warmup);
  if (warmup < 20) return { start: warmup, end: warmup, updates: [] };
  const short = warmup < 75 + 25 + 50;
  const start = short ? Math.floor(0.15 * warmup) : 75;
  const end = warmup - (short ? Math.floor(0.1 * warmup) : 50);
  const updates: number[] = [];
  let length = short ? end - start : 25;
  // Stan looks ahead from the second window on only, and would end 151 iterations with a window of one draw.
  let last = start + 3 * length > end ? end - 1 : start + length - 1;
  for (;;) {
    updates.push(last);
    if (last === end - 1) return { start, end, updates };
    length *= 2;
    const next = last + length;
    last = next === end - 1 || next + 2 * length < end ? next : end - 1;
  }
}
