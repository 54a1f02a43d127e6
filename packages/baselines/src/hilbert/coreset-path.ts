import { ConfigError, checkInteger } from '@bpc/core';
import type { WeightedSubset } from '../subset/subset.js';

/** A weighted subset, and how far it is from the whole. */
export interface HilbertCoreset extends WeightedSubset {
  /** ‖L − Σ w_n L_n‖/‖L‖: 1 for the empty coreset, 0 for an exact one. */
  readonly error: number;
}

/** The coreset after the last iteration, and those after all others: one run gives every size. */
export interface HilbertPath extends HilbertCoreset {
  /** Iterations done; fewer than asked for when nothing was left to improve. */
  readonly iterations: number;
  /** The point chosen by each iteration. */
  readonly selected: Int32Array;
  /** The error after each iteration. */
  readonly errors: Float64Array;
  /** Points with a positive weight after each iteration. */
  readonly sizes: Int32Array;
  /** The coreset after so many iterations. @throws ConfigError unless there were so many. */
  at(iterations: number): HilbertCoreset;
  /** The coreset after the last iteration with at most so many points. @throws ConfigError unless `points` is an integer ≥ 1. */
  ofSize(points: number): HilbertCoreset;
}

interface PathParts {
  readonly selected: readonly number[];
  readonly errors: readonly number[];
  readonly sizes: readonly number[];
  /** Weight of each chosen point after an iteration (counted from 1), in order of selection. */
  readonly weightsAt: (iterations: number) => ReadonlyMap<number, number>;
}

/** A path from what its iterations left behind. */
export function coresetPath({ selected, errors, sizes, weightsAt }: PathParts): HilbertPath {
  const iterations = errors.length;
  const at = (count: number): HilbertCoreset => {
    checkInteger('iterations', count, 1);
    if (count > iterations)
      throw new ConfigError(`iterations is ${count}, but the path has ${iterations}`, `ask for at most ${iterations}`);
    const kept = [...weightsAt(count)].filter(([, weight]) => weight > 0);
    return {
      indices: Int32Array.from(kept, ([index]) => index),
      weights: Float64Array.from(kept, ([, weight]) => weight),
      error: errors[count - 1] ?? 1,
    };
  };
  const none: HilbertCoreset = { indices: new Int32Array(0), weights: new Float64Array(0), error: 1 };
  return {
    ...(iterations === 0 ? none : at(iterations)),
    iterations,
    selected: Int32Array.from(selected),
    errors: Float64Array.from(errors),
    sizes: Int32Array.from(sizes),
    at,
    ofSize(points) {
      checkInteger('points', points, 1);
      const last = sizes.findLastIndex((size) => size <= points);
      return last < 0 ? none : at(last + 1);
    },
  };
}

/** Options common to the iterative constructions. */
export interface PathOptions {
  /** An integer ≥ 1. */
  readonly iterations: number;
  /** Stop before more points than this have a weight; at most the number of points. Default: no limit. */
  readonly points?: number;
  /** Stop once the error is at most this. Default 1e-12: numerically exact. */
  readonly tolerance?: number;
}

/** @throws ConfigError for counts that are no positive integers, or more points than there are. */
export function checkPathOptions({ iterations, points, tolerance = 1e-12 }: PathOptions, count: number) {
  checkInteger('iterations', iterations, 1);
  if (points !== undefined) {
    checkInteger('points', points, 1);
    if (points > count) throw new ConfigError(`points is ${points}, but there are only ${count}`, `pass at most ${count} points`);
  }
  if (!(tolerance >= 0 && tolerance < 1))
    throw new ConfigError(`tolerance is ${tolerance}, expected a number in [0, 1)`, 'pass a relative error to stop at');
  return { iterations, tolerance, most: points ?? count };
}

/** Weights that shrink as a whole and grow at one point per step: `w ← keep·w + add·e_f`. */
export interface ShrinkingWeights {
  /** Records a step. */
  step(index: number, keep: number, add: number): void;
  /** How many points would have a weight if `index` were added. */
  sizeWith(index: number): number;
  /** Weights after so many steps, by point, in order of first selection. */
  after(steps: number): Map<number, number>;
}

/** Keeps the steps, not the weights: memory O(iterations) for all coresets of a path. */
export function shrinkingWeights(): ShrinkingWeights {
  const steps: { readonly index: number; readonly keep: number; readonly add: number }[] = [];
  const seen = new Set<number>();
  return {
    step(index, keep, add) {
      // A step that keeps nothing (γ = 1) leaves one point.
      if (keep === 0) seen.clear();
      seen.add(index);
      steps.push({ index, keep, add });
    },
    sizeWith: (index) => seen.size + (seen.has(index) ? 0 : 1),
    after(count) {
      const weights = new Map(steps.slice(0, count).map(({ index }) => [index, 0]));
      let factor = 1;
      for (const { index, keep, add } of steps.slice(0, count).reverse()) {
        weights.set(index, (weights.get(index) ?? 0) + factor * add);
        factor *= keep;
      }
      return weights;
    },
  };
}
