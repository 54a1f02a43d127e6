import { checkMatrix, type RowMatrix } from '../row-matrix.js';
import { addScaled, squaredDistanceAt } from '../vectors.js';
import { type Group, type Quota, quotaGroups } from './quota.js';
import { chooseInGroups, type Subset, type Weighting } from './subset.js';

/** Options of `herding`. */
export type HerdingOptions = Quota & {
  /** φ, one row per point: outputs of a network's last layer but one, or raw inputs. */
  readonly features: RowMatrix;
  /** Default `'one'`. */
  readonly weighting?: Weighting;
};

/** A subset, and how well it stands for the data. */
export interface HerdingSubset extends Subset {
  /** ‖μ − mean of the first t features‖ after each choice, as `indices`. */
  readonly discrepancies: Float64Array;
}

/** Mean of some rows. */
export function meanOfRows({ data, shape }: RowMatrix, rows: Int32Array): Float64Array {
  const [, columns] = shape;
  const mean = new Float64Array(columns);
  for (const row of rows) addScaled(mean, 1, data, row * columns);
  return mean.map((sum) => sum / rows.length);
}

/**
 * Herding: points whose mean features follow the mean μ of their class (or of all points) as closely as one at a time allows.
 *
 * Step t chooses `argmin_x ‖t·μ − Σ_chosen φ − φ(x)‖` among the points not yet chosen, which is the point after which the mean
 * of the chosen ones is nearest to μ. Some published code takes the arg-max, the farthest point; that increases the discrepancy.
 *
 * Welling 2009; Chen, Welling & Smola 2010; as used for exemplars by Rebuffi et al. 2017. Time O(points · chosen · columns), memory O(columns) besides the
 * features. Ties go to the earlier point.
 *
 * @throws ConfigError for features that are not finite, labels outside the classes, or more points than a class or the data
 * have; ShapeError unless features are `[points, columns]` and there is one label per point.
 * @example
 * ```ts
 * import { herding } from '@bpc/baselines';
 * const features = { data: Float64Array.of(0, 1, 2, 10, 11, 18), shape: [6, 1] } as const;
 * const { indices, discrepancies } = herding({ features, labels: [0, 0, 0, 1, 1, 1], classes: 2, pointsPerClass: 1 });
 * console.log(indices, discrepancies); // [1, 4] at distances 0 and 2 from the means 1 and 13
 * ```
 */
export function herding(options: HerdingOptions): HerdingSubset {
  const { features, weighting = 'one' } = options;
  checkMatrix('features', features);
  const [count] = features.shape;
  const discrepancies: number[] = [];
  const subset = chooseInGroups(quotaGroups(count, options), count, weighting, (group) => {
    const chosen = herdGroup(features, group);
    discrepancies.push(...chosen.discrepancies);
    return chosen.indices;
  });
  return { ...subset, discrepancies: Float64Array.from(discrepancies) };
}

function herdGroup(
  features: RowMatrix,
  { members, wanted }: Group,
): { readonly indices: Int32Array; readonly discrepancies: Float64Array } {
  const { data, shape } = features;
  const [, columns] = shape;
  const mean = meanOfRows(features, members);
  // t·μ − Σ φ of the chosen: where the next point should be.
  const goal = new Float64Array(columns);
  const taken = new Uint8Array(members.length);
  const indices = new Int32Array(wanted);
  const discrepancies = new Float64Array(wanted);
  for (let t = 0; t < wanted; t++) {
    addScaled(goal, 1, mean);
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < members.length; i++) {
      if (taken[i] === 1) continue;
      const distance = squaredDistanceAt(data, (members[i] as number) * columns, goal);
      if (distance < least) [best, least] = [i, distance];
    }
    const row = members[best] as number;
    taken[best] = 1;
    indices[t] = row;
    addScaled(goal, -1, data, row * columns);
    discrepancies[t] = Math.sqrt(least) / (t + 1);
  }
  return { indices, discrepancies };
}
