import {
  ConfigError,
  checkInteger,
  checkRange,
  eventLoopTurns,
  foldIn,
  hostInteger,
  InterruptedError,
  type Key,
  ShapeError,
} from '@bpc/core';
import type { WeightedSubset } from '../subset/subset.js';
import { addScaled, dotAt, norm } from '../vectors.js';
import { projectedAdam } from './projected-adam.js';
import type { WeightedSampler } from './weighted-sampler.js';

/** Options of `sparseVi`. */
export interface SparseViOptions {
  readonly sampler: WeightedSampler;
  /** N, how many points there are. */
  readonly count: number;
  /** Points chosen, one after the other; a point may be chosen again. An integer from 1 to N. */
  readonly iterations: number;
  readonly key: Key;
  /** S, draws per estimate. Default 100, that of Campbell & Beronov's experiments. */
  readonly draws?: number;
  /** Steps on the weights after each choice. Default 100, the least of theirs. */
  readonly reweightingSteps?: number;
  /** i₀ of step sizes i₀/(1 + i). Default 1; theirs are 0.1 to 1 for logistic regression. Of the order of a weight. */
  readonly initialStep?: number;
  /** Points, drawn anew for each estimate, that stand for all in sums and among which is chosen. Default: all points. */
  readonly subsample?: number;
  readonly signal?: AbortSignal;
  /** After each choice. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The coreset after the last iteration, and those after all others. */
export interface SparseViPath extends WeightedSubset {
  /** The point chosen by each iteration; the same one again where that promised more than a new one. */
  readonly selected: Int32Array;
  /** Points with a positive weight after each iteration. */
  readonly sizes: Int32Array;
  /**
   * ‖r‖/‖Σ g‖ at each choice, under the draws of that choice: how much of the log-likelihood's variation the coreset so far
   * leaves. Draws differ from choice to choice, so that it may rise.
   */
  readonly residuals: Float64Array;
  /** The coreset after so many iterations. @throws ConfigError unless there were so many. */
  at(iterations: number): WeightedSubset;
}

/** Log-likelihoods centred over the draws, point by point, and what the coreset leaves of their sum. */
interface Centred {
  /** `[core, draws]` then `[others, draws]`, row-major. */
  readonly rows: Float64Array;
  /** r_s = (N/B) Σ_others g − Σ w g. */
  readonly residual: Float64Array;
  /** ‖(N/B) Σ_others g‖ */
  readonly whole: number;
}

/**
 * Sparse variational inference: a greedy weighted subset whose posterior π_w is near that of all points in reverse KL.
 *
 * With draws θ_s ~ π_w, `g_n` the log-likelihoods of point n centred over the draws and `r = Σ_n g_n − Σ w_n g_n`, each iteration
 * adds (with weight 0) the point of the largest `⟨g_n, r⟩/‖g_n‖`, for points that are already there of the largest absolute
 * value; then takes steps of projected Adam on the weights along `∇_{w_n} KL(π_w ‖ π) = −Cov_w[f_n, fᵀ(1 − w)] ≈ −⟨g_n, r⟩/S`,
 * with new draws at each step.
 *
 * Campbell & Beronov 2019 (NeurIPS), algorithm 1. Unlike Hilbert coresets it needs no approximation of the posterior
 * beforehand; it pays with iterations · (1 + steps) requests to the sampler. Equal keys give equal coresets.
 *
 * @throws ConfigError for counts outside their ranges, or log-likelihoods that are not finite; ShapeError if the sampler returns
 * another number of them than asked for; InterruptedError when aborted.
 * @example
 * ```ts
 * import { key } from '@bpc/core';
 * import { generalisedLinearModel, sparseVi } from '@bpc/baselines';
 * const x = { data: Float64Array.of(1, -2, 1, -1, 1, 1, 1, 2), shape: [4, 2] } as const;
 * const model = generalisedLinearModel({ family: 'logistic', x, y: [0, 0, 1, 1], priorPrecision: 1 });
 * const path = await sparseVi({ sampler: model.sampler, count: 4, iterations: 2, key: key(0) });
 * console.log(path.indices, path.weights);
 * ```
 */
export async function sparseVi(options: SparseViOptions): Promise<SparseViPath> {
  const { sampler, count, iterations, key, draws = 100, reweightingSteps = 100, initialStep = 1, subsample, signal, onProgress } = options;
  checkInteger('count', count, 1);
  checkInteger('iterations', iterations, 1);
  checkInteger('draws', draws, 2);
  checkInteger('reweightingSteps', reweightingSteps, 0);
  checkRange('initialStep', initialStep);
  if (iterations > count) throw new ConfigError(`iterations is ${iterations}, but there are only ${count} points`, `pass at most ${count}`);
  if (subsample !== undefined) checkInteger('subsample', subsample, 1);
  const everyone = Int32Array.from({ length: count }, (_, n) => n);
  const turns = eventLoopTurns();

  const active: number[] = [];
  let weights = new Float64Array(0);

  const othersOf = (own: Key): Int32Array => {
    if (subsample === undefined || subsample >= count) return everyone;
    return Int32Array.from({ length: subsample }, (_, i) => hostInteger(foldIn(own, i), count));
  };
  const estimate = async (own: Key): Promise<Centred & { readonly others: Int32Array }> => {
    const others = othersOf(foldIn(own, 1));
    const rows = Int32Array.from([...active, ...others]);
    const request = { indices: Int32Array.from(active), weights: weights.slice(), rows, draws, key: foldIn(own, 0) };
    const values = centreRows(await sampler(request), rows, draws);
    return { ...leftOver(values, weights, others.length, count / others.length, draws), others };
  };

  const selected: number[] = [];
  const sizes: number[] = [];
  const residuals: number[] = [];
  const snapshots: WeightedSubset[] = [];
  for (let t = 0; t < iterations; t++) {
    const own = foldIn(key, t);
    const { rows, residual, whole, others } = await estimate(foldIn(own, 0));
    const best = bestPoint(rows, residual, active, others);
    if (best < 0) {
      throw new ConfigError(
        'no point has a log-likelihood that differs from draw to draw',
        'check that the sampler draws from a distribution with a spread',
      );
    }
    selected.push(best);
    residuals.push(whole > 0 ? norm(residual) / whole : 0);
    if (!active.includes(best)) {
      active.push(best);
      weights = Float64Array.from([...weights, 0]);
    }
    const adam = projectedAdam(active.length, initialStep);
    for (let j = 0; j < reweightingSteps; j++) {
      await turns();
      if (signal?.aborted === true)
        throw new InterruptedError(
          `sparseVi stopped after ${t} of ${iterations} points`,
          t,
          'call it again with the same key to start over',
        );
      const { rows: again, residual: left } = await estimate(foldIn(own, j + 1));
      adam.step(
        weights,
        weights.map((_, m) => -dotAt(again, m * draws, left) / draws),
      );
    }
    const kept = active.map((n, m) => [n, weights[m] as number] as const).filter(([, weight]) => weight > 0);
    sizes.push(kept.length);
    snapshots.push({ indices: Int32Array.from(kept, ([n]) => n), weights: Float64Array.from(kept, ([, weight]) => weight) });
    onProgress?.(t + 1, iterations);
  }
  const at = (wanted: number): WeightedSubset => {
    checkInteger('iterations', wanted, 1);
    const found = snapshots[wanted - 1];
    if (found === undefined)
      throw new ConfigError(`iterations is ${wanted}, but the path has ${iterations}`, `ask for at most ${iterations}`);
    return found;
  };
  return {
    ...at(iterations),
    selected: Int32Array.from(selected),
    sizes: Int32Array.from(sizes),
    residuals: Float64Array.from(residuals),
    at,
  };
}

/** Takes from each row its mean over the draws, in place. The other axis would be that of the data, and wrong. */
function centreRows(values: Float64Array, rows: Int32Array, draws: number): Float64Array {
  if (values.length !== rows.length * draws) {
    throw new ShapeError(
      `the sampler returned ${values.length} log-likelihoods, expected ${rows.length} × ${draws}`,
      'return one row of draws for each of the rows asked for',
    );
  }
  for (let i = 0; i < rows.length; i++) {
    const row = values.subarray(i * draws, (i + 1) * draws);
    let sum = 0;
    for (let s = 0; s < draws; s++) sum += row[s] as number;
    const mean = sum / draws;
    if (!Number.isFinite(mean)) {
      throw new ConfigError(
        `the log-likelihood of point ${rows[i]} is not finite at some draw`,
        'start with a smaller initialStep, or a prior that keeps the draws where the likelihood is finite',
      );
    }
    for (let s = 0; s < draws; s++) row[s] = (row[s] as number) - mean;
  }
  return values;
}

function leftOver(rows: Float64Array, weights: Float64Array, others: number, scale: number, draws: number): Centred {
  const sum = new Float64Array(draws);
  for (let i = 0; i < others; i++) addScaled(sum, scale, rows, (weights.length + i) * draws);
  const residual = Float64Array.from(sum);
  weights.forEach((weight, m) => addScaled(residual, -weight, rows, m * draws));
  return { rows, residual, whole: norm(sum) };
}

/** The point of the largest score, −1 if all are constant over the draws. Core points come first in `rows`. */
function bestPoint(rows: Float64Array, residual: Float64Array, active: readonly number[], others: Int32Array): number {
  const draws = residual.length;
  const score = (place: number) => {
    const length = Math.sqrt(dotAt(rows, place * draws, rows.subarray(place * draws, (place + 1) * draws)));
    return length > 0 ? dotAt(rows, place * draws, residual) / length : Number.NEGATIVE_INFINITY;
  };
  const core = new Set(active);
  let [best, most] = [-1, Number.NEGATIVE_INFINITY];
  active.forEach((n, m) => {
    const value = score(m);
    if (Number.isFinite(value) && Math.abs(value) > most) [best, most] = [n, Math.abs(value)];
  });
  others.forEach((n, i) => {
    if (core.has(n)) return;
    const value = score(active.length + i);
    if (value > most) [best, most] = [n, value];
  });
  return best;
}
