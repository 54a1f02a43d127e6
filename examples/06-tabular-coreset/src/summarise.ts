import type { Closeness } from './closeness.js';
import type { Score, Study } from './study.js';

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

/** Scores of one method at one size, one per seed. */
export const scoresOf = ({ scores }: Study, method: string, size: number): readonly Score[] =>
  scores.filter((score) => score.method === method && score.size === size);

/** A figure that says as much as three digits can. */
export const digits = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** Median over seeds, and the range. */
export function spread(scores: readonly Score[], measure: keyof Closeness): string {
  const values = scores.map((score) => score[measure]);
  if (values.length === 1) return digits(values[0] ?? Number.NaN);
  return `${digits(median(values))} (${digits(Math.min(...values))}…${digits(Math.max(...values))})`;
}

/** In how many seeds the first method is at least as near as the second at this size; undefined where one has no coreset. */
export function wins(
  study: Study,
  size: number,
  [first, second]: readonly [string, string],
): readonly [wins: number, seeds: number] | undefined {
  const [ours, theirs] = [scoresOf(study, first, size), scoresOf(study, second, size)];
  const pairs = ours.flatMap((one) => theirs.filter(({ seed }) => seed === one.seed).map((other) => one.klToFull <= other.klToFull));
  return pairs.length === 0 ? undefined : [pairs.filter(Boolean).length, pairs.length];
}

/** Sizes that a method has, ascending. */
export const sizesOf = ({ scores }: Study, method: string): readonly number[] =>
  [...new Set(scores.filter((score) => score.method === method).map(({ size }) => size))].sort((a, b) => a - b);

/** KL(coreset ‖ full), median over seeds, at the smallest and the largest size of a method. */
export function approach(study: Study, method: string): readonly [first: number, last: number] {
  const sizes = sizesOf(study, method);
  const at = (size: number | undefined) => median(scoresOf(study, method, size ?? Number.NaN).map(({ klToFull }) => klToFull));
  return [at(sizes[0]), at(sizes.at(-1))];
}
