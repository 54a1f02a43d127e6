import { ConfigError, checkInteger, foldIn, hostInteger, type Key } from '@bpc/core';
import { checkMatrix, type RowMatrix } from '../row-matrix.js';
import { squaredDistanceAt } from '../vectors.js';
import { meanOfRows } from './herding.js';
import { type Group, type Quota, quotaGroups } from './quota.js';
import { chooseInGroups, type Subset, type Weighting } from './subset.js';

/** The first centre: the point nearest to the mean of its class (or of all), one at random, or a point by its place. */
export type FirstCentre = 'nearest-mean' | { readonly key: Key } | { readonly index: number };

/** Options of `kCenterGreedy`. */
export type KCenterOptions = Quota & {
  /** One row per point: outputs of a network's last layer but one, or raw inputs. */
  readonly features: RowMatrix;
  /** Default `'nearest-mean'`, which needs no randomness. A place (`index`) only fits a choice among all points. */
  readonly first?: FirstCentre;
  /** Default `'one'`. */
  readonly weighting?: Weighting;
};

/** A subset, and how well it covers the data. */
export interface KCenterSubset extends Subset {
  /** Largest distance of a point of the group to its nearest centre, after each choice, as `indices`. */
  readonly radii: Float64Array;
}

/**
 * Greedy k-centre: the first centre, then again and again the point with the largest distance to its nearest centre.
 *
 * Gonzalez 1985: the last radius is at most twice the smallest possible one. Used as a coreset by Sener & Savarese 2018. Time
 * O(points · chosen · columns), memory O(points). Ties go to the earlier point.
 *
 * @throws ConfigError for features that are not finite, labels outside the classes, more points than a class or the data have,
 * or a first centre that is no point; ShapeError unless features are `[points, columns]` and there is one label per point.
 * @example
 * ```ts
 * import { kCenterGreedy } from '@bpc/baselines';
 * const features = { data: Float64Array.of(0, 1, 2, 3, 9), shape: [5, 1] } as const;
 * const { indices, radii } = kCenterGreedy({ features, points: 2 });
 * console.log(indices, radii); // [3, 4] with radii 6 and 3
 * ```
 */
export function kCenterGreedy(options: KCenterOptions): KCenterSubset {
  const { features, first = 'nearest-mean', weighting = 'one' } = options;
  checkMatrix('features', features);
  const [count] = features.shape;
  checkFirst(first, count, 'points' in options);
  const radii: number[] = [];
  const subset = chooseInGroups(quotaGroups(count, options), count, weighting, (group) => {
    const chosen = coverGroup(features, group, firstPlace(features, group, first));
    radii.push(...chosen.radii);
    return chosen.indices;
  });
  return { ...subset, radii: Float64Array.from(radii) };
}

function checkFirst(first: FirstCentre, count: number, all: boolean): void {
  if (first === 'nearest-mean' || 'key' in first) return;
  checkInteger('first.index', first.index, 0);
  if (!all || first.index >= count) {
    throw new ConfigError(
      `first.index is ${first.index}${all ? `, but there are only ${count} points` : ' for a choice in each class'}`,
      all ? 'name one of the points' : "pass 'nearest-mean' or { key }",
    );
  }
}

/** Place in the group's members of the first centre. */
function firstPlace(features: RowMatrix, { label, members }: Group, first: FirstCentre): number {
  if (first !== 'nearest-mean') return 'key' in first ? hostInteger(foldIn(first.key, label + 1), members.length) : first.index;
  const { data, shape } = features;
  const mean = meanOfRows(features, members);
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  members.forEach((row, i) => {
    const distance = squaredDistanceAt(data, row * shape[1], mean);
    if (distance < least) [best, least] = [i, distance];
  });
  return best;
}

function coverGroup({ data, shape }: RowMatrix, { members, wanted }: Group, first: number) {
  const [, columns] = shape;
  // Squared distance of each member to its nearest centre; −1 for centres, so that none is chosen twice among equal points.
  const nearest = new Float64Array(members.length).fill(Number.POSITIVE_INFINITY);
  const indices = new Int32Array(wanted);
  const radii = new Float64Array(wanted);
  let next = first;
  for (let t = 0; t < wanted; t++) {
    const row = members[next] as number;
    const centre = data.subarray(row * columns, (row + 1) * columns);
    indices[t] = row;
    nearest[next] = -1;
    let [farthest, most] = [-1, -1];
    for (let i = 0; i < members.length; i++) {
      const known = nearest[i] as number;
      if (known < 0) continue;
      const distance = Math.min(known, squaredDistanceAt(data, (members[i] as number) * columns, centre));
      nearest[i] = distance;
      if (distance > most) [farthest, most] = [i, distance];
    }
    radii[t] = Math.sqrt(Math.max(0, most));
    next = farthest;
  }
  return { indices, radii };
}
