import { ConfigError, checkInteger } from '@bpc/core';
import { addScaled, dotAt, norm } from '../vectors.js';
import type { HilbertCoreset } from './coreset-path.js';
import type { HilbertVectors } from './hilbert-vectors.js';
import { nonNegativeFit } from './non-negative-fit.js';

/** Options of `acceleratedIterativeHardThresholding`. */
export interface HardThresholdingOptions {
  readonly vectors: HilbertVectors;
  /** K, the most points that may have a weight; from 1 to the number of points. */
  readonly points: number;
  /** Default 300, that of the paper's code; most problems stop earlier. */
  readonly iterations?: number;
  /** Stop when weights move less than this, relative to their norm. Default 1e-5, that of the paper's code. */
  readonly tolerance?: number;
  /**
   * What is projected: the weights (`'none'`, default, as published), or the weights times σ_n (`'unit'`), which treats points
   * alike whose vectors point alike. Where norms differ much, as they do for likelihoods, `'unit'` is usually nearer.
   */
  readonly scaling?: 'none' | 'unit';
  /** Solve for the weights on the final points once more (non-negative least squares), which never raises the error. Default true. */
  readonly refit?: boolean;
}

/** A coreset of at most K points, with the course of the optimisation. */
export interface HardThresholdingCoreset extends HilbertCoreset {
  /** ‖L − L(w)‖/‖L‖ after each iteration, before the refit; never rises. */
  readonly errors: Float64Array;
}

/** Weights of few points with what they sum to. */
interface Position {
  readonly weights: Float64Array;
  /** L(w) */
  readonly reached: Float64Array;
  /** ‖L − L(w)‖² */
  readonly objective: number;
}

/** Places of the `count` largest entries above `above`, the earlier one among equal ones. */
function largest(values: Float64Array, count: number, above: number): number[] {
  const sorted = values.filter((value) => value > above).sort();
  const bound = sorted[sorted.length - count] ?? above;
  const chosen: number[] = [];
  const ties: number[] = [];
  values.forEach((value, n) => {
    if (value > bound) chosen.push(n);
    else if (value === bound && value > above) ties.push(n);
  });
  return [...chosen, ...ties.slice(0, count - chosen.length)];
}

/**
 * A-IHT II: accelerated projected gradient on `‖L − Σ w_n L_n‖²` over non-negative weights of at most K points.
 *
 * From `w = z = 0`, with g(z)_n = ⟨L_n, L − L(z)⟩ (minus half the gradient): on the support of z and the K largest |g| outside, a
 * step of exact length `μ = ‖g‖²/‖L(g)‖²`; projection to the K largest positive entries of `z + μ g(z)`; the same step once more on
 * these alone; then `z = w⁺ + τ (w⁺ − w)` with the τ that minimises the objective along that line.
 *
 * Zhang, Khanna, Kyrillidis & Koyejo 2021 (AISTATS), algorithm 2. Two things are ours: a step that would raise the objective is
 * made again from w without momentum and, if need be, shorter, so that the objective never rises; and the final refit. With few
 * points it often ends farther away than orthogonal pursuit, whose steps it lacks. Each K is a run of its own. Time O(iterations · points · dimensions).
 *
 * @throws ConfigError for counts that are no positive integers, or more points than there are.
 * @example
 * ```ts
 * import { acceleratedIterativeHardThresholding, hilbertVectors } from '@bpc/baselines';
 * const vectors = hilbertVectors({ data: Float64Array.of(3, 0, 0, 0, 2, 0, 0, 0, 1), shape: [3, 3] });
 * console.log(acceleratedIterativeHardThresholding({ vectors, points: 2 })); // the two longest, with weights 1
 * ```
 */
export function acceleratedIterativeHardThresholding(options: HardThresholdingOptions): HardThresholdingCoreset {
  const { vectors, points, iterations = 300, tolerance = 1e-5, scaling = 'none', refit = true } = options;
  const { shape, norms, sum } = vectors;
  const [count, dimensions] = shape;
  checkInteger('points', points, 1);
  checkInteger('iterations', iterations, 1);
  if (points > count) throw new ConfigError(`points is ${points}, but there are only ${count}`, `pass at most ${count} points`);
  if (scaling !== 'none' && scaling !== 'unit')
    throw new ConfigError(`scaling is '${String(scaling)}', expected 'none' or 'unit'`, "pass 'none' or 'unit'");
  const everyone = Array.from({ length: count }, (_, n) => n);
  const whole = norm(sum);
  const lengths = scaling === 'unit' ? norms.map((sigma) => (sigma === 0 ? 1 : sigma)) : new Float64Array(count).fill(1);
  const data = vectors.data.map((value, i) => value / (lengths[Math.floor(i / dimensions)] as number));

  const place = (weights: Float64Array, support: readonly number[]): Position => {
    const reached = new Float64Array(dimensions);
    for (const n of support) addScaled(reached, weights[n] as number, data, n * dimensions);
    return { weights, reached, objective: sum.reduce((total, value, j) => total + (value - (reached[j] as number)) ** 2, 0) };
  };
  /** g at the points of `support`, 0 elsewhere. */
  const gradientAt = (reached: Float64Array, support: readonly number[] = everyone): Float64Array => {
    const residual = sum.map((value, j) => value - (reached[j] as number));
    const gradient = new Float64Array(count);
    for (const n of support) gradient[n] = dotAt(data, n * dimensions, residual);
    return gradient;
  };
  /** The length of the step along the gradient's entries at `support` that minimises the objective; 0 where they vanish. */
  const exactStep = (gradient: Float64Array, support: readonly number[]): number => {
    const image = new Float64Array(dimensions);
    let squares = 0;
    for (const n of support) {
      squares += (gradient[n] as number) ** 2;
      addScaled(image, gradient[n] as number, data, n * dimensions);
    }
    const length = dotAt(image, 0, image);
    return length > 0 ? squares / length : 0;
  };
  /** One projected step from `from`, whose sum is `reached`, then one on the points it leaves. */
  const thresholded = (from: Float64Array, reached: Float64Array, shorten: number): Position => {
    const gradient = gradientAt(reached);
    const outside = gradient.map((value, n) => (from[n] === 0 ? Math.abs(value) : 0));
    const support = [...Array.from(from.keys()).filter((n) => from[n] !== 0), ...largest(outside, points, 0)];
    const step = shorten * exactStep(gradient, support);
    const moved = from.map((value, n) => value + step * (gradient[n] as number));
    const kept = largest(moved, points, 0);
    const projected = new Float64Array(count);
    for (const n of kept) projected[n] = moved[n] as number;
    const first = place(projected, kept);
    const slope = gradientAt(first.reached, kept);
    const again = shorten * exactStep(slope, kept);
    const weights = new Float64Array(count);
    for (const n of kept) weights[n] = Math.max(0, (projected[n] as number) + again * (slope[n] as number));
    const second = place(weights, kept);
    return second.objective <= first.objective ? second : first;
  };

  let current = place(new Float64Array(count), []);
  let [ahead, aheadReached] = [current.weights, current.reached];
  const errors: number[] = [];
  for (let i = 0; i < iterations; i++) {
    let next = thresholded(ahead, aheadReached, 1);
    // Momentum may overshoot; without it, a short enough step cannot.
    for (let shorten = 1; next.objective > current.objective && shorten > 1e-9; shorten /= 2)
      next = thresholded(current.weights, current.reached, shorten);
    if (next.objective > current.objective) break;
    const change = next.weights.map((value, n) => value - (current.weights[n] as number));
    const moved = next.reached.map((value, j) => value - (current.reached[j] as number));
    const residual = sum.map((value, j) => value - (next.reached[j] as number));
    const length = dotAt(moved, 0, moved);
    const momentum = length > 0 ? dotAt(residual, 0, moved) / length : 0;
    current = next;
    ahead = next.weights.map((value, n) => value + momentum * (change[n] as number));
    aheadReached = next.reached.map((value, j) => value + momentum * (moved[j] as number));
    errors.push(Math.sqrt(next.objective) / whole);
    if (norm(change) <= tolerance * norm(next.weights)) break;
  }
  const weights = current.weights.map((weight, n) => weight / (lengths[n] as number));
  return { ...finished(vectors, { ...current, weights }, refit, whole), errors: Float64Array.from(errors) };
}

function finished(vectors: HilbertVectors, { weights, objective }: Position, refit: boolean, whole: number): HilbertCoreset {
  const indices = Int32Array.from(weights.keys()).filter((n) => (weights[n] as number) > 0);
  const reached: HilbertCoreset = {
    indices,
    weights: Float64Array.from(indices, (n) => weights[n] as number),
    error: Math.sqrt(objective) / whole,
  };
  if (!refit) return reached;
  const fit = nonNegativeFit(vectors);
  for (const n of indices) fit.add(n);
  if (fit.error() >= reached.error) return reached;
  const fitted = [...fit.weights()];
  return { indices: Int32Array.from(fitted, ([n]) => n), weights: Float64Array.from(fitted, ([, weight]) => weight), error: fit.error() };
}
