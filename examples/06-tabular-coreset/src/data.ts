import { getTable, type TableSplit } from '@bpc/bench';
import { foldIn, hostPermutation, key } from '@bpc/core';
import { type PrincipalComponents, principalComponents, scores } from './principal-components.js';

/** Inputs of the regression: principal components; a column of ones comes on top. */
export const COMPONENTS = 10;
/** Coefficients: one per component and an intercept. */
export const SIZE = COMPONENTS + 1;

/** Weighted points of the regression. */
export interface WeightedPoints {
  /** `[count, SIZE]`, row-major; the last column is 1. */
  readonly x: Float64Array;
  /** −1 or 1. */
  readonly sign: Float64Array;
  readonly weights: Float64Array;
}

export interface TabularData {
  /** N points of weight 1. */
  readonly full: WeightedPoints;
  /** All validation rows. */
  readonly validation: WeightedPoints;
  /** Share of the variance of the 123 columns that the components have. */
  readonly explained: number;
}

/** Some of the points, with weights of their own. */
export function pick({ x, sign }: WeightedPoints, indices: ArrayLike<number>, weights: Float64Array): WeightedPoints {
  const rows = Array.from(indices);
  const chosen = new Float64Array(rows.length * SIZE);
  for (const [i, n] of rows.entries()) chosen.set(x.subarray(n * SIZE, (n + 1) * SIZE), i * SIZE);
  return { x: chosen, sign: Float64Array.from(rows, (n) => sign[n] ?? Number.NaN), weights };
}

function prepare({ features, targets, count }: TableSplit<'train' | 'validation'>, components: PrincipalComponents): WeightedPoints {
  const along = scores({ data: features, count, size: components.mean.length }, components);
  const x = new Float64Array(count * SIZE).fill(1);
  for (let i = 0; i < count; i++) x.set(along.subarray(i * COMPONENTS, (i + 1) * COMPONENTS), i * SIZE);
  return { x, sign: targets.map((target) => 2 * target - 1), weights: new Float64Array(count).fill(1) };
}

/**
 * Does a person earn more than 50 000 a year? a9a has 123 indicators, of which its ten first principal components are the
 * inputs here, scaled to variance 1: mean, directions and scales of the training rows. `points` of these rows, drawn once,
 * are the full data.
 */
export async function tabularData(points: number): Promise<TabularData> {
  const { train, validation, columns } = await getTable('a9a');
  const components = await principalComponents({ data: train.features, count: train.count, size: columns.length }, COMPONENTS);
  const all = prepare(train, components);
  const rows = hostPermutation(foldIn(key(6), 0), train.count).subarray(0, points);
  return {
    full: pick(all, rows, new Float64Array(points).fill(1)),
    validation: prepare(validation, components),
    explained: components.explained,
  };
}
