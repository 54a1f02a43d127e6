import { ConfigError, checkInteger } from '@bpc/core';
import type { Group } from './quota.js';

/** Points of a data set with weights: what every selection here amounts to. */
export interface WeightedSubset {
  /** Places in the data, each at most once. */
  readonly indices: Int32Array;
  /** `[indices.length]`, non-negative. */
  readonly weights: Float64Array;
}

/**
 * What weights mean: `'one'` counts each chosen point once; `'data'` gives each N/M, so that the M points count as much as
 * the N of the data.
 */
export type Weighting = 'one' | 'data';

/** Points chosen one after the other, the same number in each group. */
export interface Subset extends WeightedSubset {
  /** Group by group (class 0 first), each in the order of selection: fewer points are the first ones of each group. */
  readonly indices: Int32Array;
  readonly pointsPerGroup: number;
  readonly weighting: Weighting;
}

/** @throws ConfigError for another word. */
export function checkWeighting(weighting: Weighting): void {
  if (weighting !== 'one' && weighting !== 'data')
    throw new ConfigError(`weighting is '${String(weighting)}', expected 'one' or 'data'`, "pass 'one' or 'data'");
}

/** Lists of points of equal length, with weights. `count` is N. */
export function subsetOf(chosen: readonly ArrayLike<number>[], count: number, weighting: Weighting): Subset {
  const indices = Int32Array.from(chosen.flatMap((list) => Array.from(list)));
  const weight = weighting === 'one' ? 1 : count / indices.length;
  return { indices, weights: new Float64Array(indices.length).fill(weight), pointsPerGroup: chosen[0]?.length ?? 0, weighting };
}

/** Chooses in each group and joins the choices. */
export function chooseInGroups(
  groups: readonly Group[],
  count: number,
  weighting: Weighting,
  choose: (group: Group) => ArrayLike<number>,
): Subset {
  checkWeighting(weighting);
  return subsetOf(groups.map(choose), count, weighting);
}

/**
 * The subset that the same selection with fewer points would have been: selections are nested, so that a sweep over sizes
 * costs one selection of the largest.
 *
 * Weights keep their sum if they are N/M each, and stay 1 if they are 1.
 *
 * @throws ConfigError unless `pointsPerGroup` is an integer from 1 to what the subset has.
 * @example
 * ```ts
 * import { herding, takeFirst } from '@bpc/baselines';
 * const features = { data: Float64Array.of(0, 1, 2, 10, 11, 12), shape: [6, 1] } as const;
 * const two = herding({ features, labels: [0, 0, 0, 1, 1, 1], classes: 2, pointsPerClass: 2 });
 * console.log(takeFirst(two, 1).indices); // [1, 4]
 * ```
 */
export function takeFirst(subset: Subset, pointsPerGroup: number): Subset {
  checkInteger('pointsPerGroup', pointsPerGroup, 1);
  const had = subset.pointsPerGroup;
  if (pointsPerGroup > had) {
    throw new ConfigError(`pointsPerGroup is ${pointsPerGroup}, but the subset has ${had}`, `pass at most ${had}, or select more points`);
  }
  const kept = (_: number, i: number) => i % had < pointsPerGroup;
  const factor = subset.weighting === 'one' ? 1 : had / pointsPerGroup;
  return {
    weighting: subset.weighting,
    indices: subset.indices.filter(kept),
    weights: subset.weights.filter(kept).map((weight) => weight * factor),
    pointsPerGroup,
  };
}
