import { ConfigError, checkInteger, ShapeError } from '@bpc/core';
import { type Quota, quotaGroups } from './quota.js';
import { chooseInGroups, type Subset, type Weighting } from './subset.js';

/** How often each point was forgotten while a network was trained. */
export interface ForgettingRecord {
  /** Transitions from correct to incorrect between consecutive visits, one number per point. */
  readonly counts: Int32Array;
  /** 1 for points that were never classified correctly (or never visited). */
  readonly neverLearned: Uint8Array;
}

/** Counts forgetting events while a network is trained. */
export interface ForgettingRecorder {
  /** Tells whether a point was classified correctly when the network came by. */
  visit(point: number, correct: boolean): void;
  /** The counts so far, as copies. */
  record(): ForgettingRecord;
}

/**
 * A recorder of forgetting events for `count` points, to be told of every visit in the order of training.
 *
 * @throws ConfigError unless `count` is an integer ≥ 1; from `visit`, for a place that is no point.
 * @example
 * ```ts
 * import { forgettingRecorder } from '@bpc/baselines';
 * const recorder = forgettingRecorder(2);
 * for (const correct of [true, false, true, false]) recorder.visit(0, correct);
 * console.log(recorder.record()); // counts [2, 0], neverLearned [0, 1]
 * ```
 */
export function forgettingRecorder(count: number): ForgettingRecorder {
  checkInteger('count', count, 1);
  const counts = new Int32Array(count);
  const learned = new Uint8Array(count);
  const last = new Uint8Array(count);
  return {
    visit(point, correct) {
      if (!(Number.isInteger(point) && point >= 0 && point < count)) {
        throw new ConfigError(`visit got point ${point}, expected an integer in [0, ${count})`, 'number the points of the training data');
      }
      if (correct) learned[point] = 1;
      else if (last[point] === 1) counts[point] = (counts[point] as number) + 1;
      last[point] = correct ? 1 : 0;
    },
    record: () => ({ counts: counts.slice(), neverLearned: learned.map((known) => 1 - known) }),
  };
}

/**
 * Forgetting events of each point from a whole record of training.
 *
 * `counts_n = #{t ≥ 1 : correct at visit t − 1, incorrect at visit t}` (Toneva et al. 2019).
 *
 * @param correct - `[visits, points]` row-major: 1 where the point was classified correctly at that visit, 0 where not.
 * @throws ShapeError unless there are visits × points entries; ConfigError for entries other than 0 and 1.
 * @example
 * ```ts
 * import { forgettingCounts } from '@bpc/baselines';
 * // Three visits of two points: the first is learned and forgotten, the second never learned.
 * console.log(forgettingCounts({ data: Uint8Array.of(1, 0, 0, 0, 1, 0), shape: [3, 2] }));
 * ```
 */
export function forgettingCounts(correct: {
  readonly data: ArrayLike<number>;
  readonly shape: readonly [number, number];
}): ForgettingRecord {
  const { data, shape } = correct;
  const [visits, points] = shape;
  if (data.length !== visits * points || data.length === 0) {
    throw new ShapeError(
      `correct has ${data.length} entries and shape [${shape}], expected visits × points of them`,
      'pass one row per visit of all points',
    );
  }
  const recorder = forgettingRecorder(points);
  for (let i = 0; i < data.length; i++) {
    const entry = data[i];
    if (entry !== 0 && entry !== 1) {
      throw new ConfigError(
        `correct has ${entry} at visit ${Math.floor(i / points)} of point ${i % points}, expected 0 or 1`,
        'pass 1 for correct and 0 for incorrect',
      );
    }
    recorder.visit(i % points, entry === 1);
  }
  return recorder.record();
}

/** Options of `forgettingSubset`. */
export type ForgettingOptions = Quota & {
  readonly record: ForgettingRecord;
  /**
   * Where points go that were never learned: `'first'` (default) counts them as forgotten infinitely often, as Toneva et al.;
   * `'counted'` leaves them at their count, which is 0, as DeepCore.
   */
  readonly neverLearned?: 'first' | 'counted';
  /** Default `'one'`. */
  readonly weighting?: Weighting;
};

/**
 * The points that were forgotten most often, of each class or of all; ties go to the earlier point.
 *
 * Toneva et al. 2019. Meant to find points that training needs; as a small coreset it picks the hardest and most atypical
 * ones, so that it often loses to random ones.
 *
 * @throws ConfigError for labels outside the classes, or more points than a class or the data have; ShapeError unless there
 * is one label per point.
 * @example
 * ```ts
 * import { forgettingSubset } from '@bpc/baselines';
 * const record = { counts: Int32Array.of(0, 3, 1, 0), neverLearned: Uint8Array.of(1, 0, 0, 0) };
 * console.log(forgettingSubset({ record, points: 2 }).indices); // [0, 1]
 * console.log(forgettingSubset({ record, points: 2, neverLearned: 'counted' }).indices); // [1, 2]
 * ```
 */
export function forgettingSubset(options: ForgettingOptions): Subset {
  const { record, neverLearned = 'first', weighting = 'one' } = options;
  const { counts } = record;
  if (record.neverLearned.length !== counts.length) {
    throw new ShapeError(
      `record has ${counts.length} counts and ${record.neverLearned.length} entries of neverLearned`,
      'pass a record as forgettingCounts or a recorder makes it',
    );
  }
  if (neverLearned !== 'first' && neverLearned !== 'counted') {
    throw new ConfigError(`neverLearned is '${String(neverLearned)}', expected 'first' or 'counted'`, "pass 'first' or 'counted'");
  }
  const score = (point: number): number =>
    neverLearned === 'first' && record.neverLearned[point] === 1 ? Number.POSITIVE_INFINITY : (counts[point] ?? 0);
  return chooseInGroups(quotaGroups(counts.length, options), counts.length, weighting, ({ members, wanted }) =>
    // Infinities cancel to NaN, so compare and do not subtract.
    Array.from(members)
      .sort((a, b) => (score(a) === score(b) ? a - b : score(a) > score(b) ? -1 : 1))
      .slice(0, wanted),
  );
}
