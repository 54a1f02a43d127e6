import { ConfigError, checkRange, NonFiniteError, ShapeError, solveLower, solveLowerTransposed } from '@bpc/core';
import { checkMatrix, type RowMatrix } from '../row-matrix.js';
import type { WeightedSubset } from '../subset/subset.js';
import type { WeightedSampler } from '../variational/weighted-sampler.js';
import { addScaled, dotAt } from '../vectors.js';
import { type FamilyName, familyOf, targetsOf } from './family.js';
import { factorPrecision, type LaplaceFit, laplaceFit } from './laplace-fit.js';

/** Options of `generalisedLinearModel`. */
export interface GeneralisedLinearOptions {
  readonly family: FamilyName;
  /** One row of inputs per point; add a column of ones for an intercept. Kept, not copied. */
  readonly x: RowMatrix;
  /** Targets: 0 and 1 (or −1 and 1), real numbers, or counts. */
  readonly y: ArrayLike<number>;
  /** Of independent normal priors around 0 on all coefficients, > 0. */
  readonly priorPrecision: number;
  /** Of the family `'gaussian'`, > 0. Default 1. */
  readonly noiseVariance?: number;
}

/** A regression in float64 on the host, whose posteriors are found by Newton's method. */
export interface GeneralisedLinearModel {
  /** N. */
  readonly count: number;
  /** Coefficients. */
  readonly size: number;
  /**
   * The Laplace approximation of the posterior of weighted points; of all points with weight 1 if left out. Exact for
   * `'gaussian'`.
   *
   * @throws ConfigError for weights that are negative or not finite, or places that are no points; ShapeError unless there is
   * one weight per point; NonFiniteError if no mode is found.
   */
  laplace(subset?: WeightedSubset): LaplaceFit;
  /** f(x_n, θ_s) of the points at `rows` (default: all) at draws `[draws, size]`: `[rows, draws]`. Zeros in x cost nothing. */
  logLikelihoods(draws: RowMatrix, rows?: Int32Array): RowMatrix & { readonly data: Float64Array };
  /** Draws from `laplace` of weighted points: for `sparseVi`. */
  readonly sampler: WeightedSampler;
}

// Newton's method on a concave function; a logistic regression is done after 5 to 10.
const mostSteps = 100;

function checkSubset({ indices, weights }: WeightedSubset, count: number): void {
  if (indices.length !== weights.length)
    throw new ShapeError(`weights has ${weights.length} entries, expected ${indices.length}`, 'pass one weight per point');
  indices.forEach((n, i) => {
    if (!(n >= 0 && n < count))
      throw new ConfigError(`indices[${i}] is ${n}, expected an integer in [0, ${count})`, 'pass places of points');
    const weight = weights[i] as number;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY))
      throw new ConfigError(`weights[${i}] is ${weight}, expected a finite number ≥ 0`, 'pass non-negative weights');
  });
}

/**
 * Logistic, linear or Poisson regression with a normal prior: tabular models whose coresets can be made in seconds.
 *
 * `log p(θ | D, w) = Σ_n w_n log p(y_n | x_n·θ) − ½ ρ ‖θ‖² + const`. Everything is float64 in plain loops: nothing is compiled, and
 * no runtime is needed. One `laplace` of m weighted points costs O(m · size² + size³) per Newton step.
 *
 * @throws ShapeError, ConfigError for inputs that are not finite, targets that the family cannot have, or a precision or
 * variance that is not positive.
 * @example
 * ```ts
 * import { key } from '@bpc/core';
 * import { generalisedLinearModel, giga, projectLogLikelihoods } from '@bpc/baselines';
 * const x = { data: Float64Array.of(1, -2, 1, -1, 1, 1, 1, 2), shape: [4, 2] } as const;
 * const model = generalisedLinearModel({ family: 'logistic', x, y: [0, 0, 1, 1], priorPrecision: 1 });
 * const logLikelihoods = model.logLikelihoods(model.laplace().draw(key(0), 50));
 * const coreset = giga({ vectors: projectLogLikelihoods({ logLikelihoods }), iterations: 3 });
 * console.log(model.laplace(coreset).mode); // near model.laplace().mode
 * ```
 */
export function generalisedLinearModel(options: GeneralisedLinearOptions): GeneralisedLinearModel {
  const { family: name, x, priorPrecision, noiseVariance = 1 } = options;
  checkMatrix('x', x);
  const { data, shape } = x;
  const [count, size] = shape;
  for (const [what, value] of Object.entries({ priorPrecision, noiseVariance })) {
    if (checkRange(what, value) === 0) throw new ConfigError(`${what} is 0, expected a number > 0`, `pass a positive ${what}`);
  }
  const family = familyOf(name, noiseVariance);
  const y = targetsOf(name, options.y, count);
  const everyone: WeightedSubset = { indices: Int32Array.from({ length: count }, (_, n) => n), weights: new Float64Array(count).fill(1) };

  const logPosterior = (theta: Float64Array, { indices, weights }: WeightedSubset): number => {
    let total = (-priorPrecision / 2) * dotAt(theta, 0, theta);
    for (let i = 0; i < indices.length; i++) {
      const n = indices[i] as number;
      total += (weights[i] as number) * family.logLikelihood(dotAt(data, n * size, theta), y[n] as number);
    }
    return total;
  };

  /** Gradient, and the factor of the negative Hessian. */
  const expand = (theta: Float64Array, { indices, weights }: WeightedSubset) => {
    const gradient = theta.map((value) => -priorPrecision * value);
    const precision = new Float64Array(size * size);
    for (let j = 0; j < size; j++) precision[j * size + j] = priorPrecision;
    for (let i = 0; i < indices.length; i++) {
      const [n, weight] = [indices[i] as number, weights[i] as number];
      const eta = dotAt(data, n * size, theta);
      addScaled(gradient, weight * family.slope(eta, y[n] as number), data, n * size);
      const curvature = weight * family.curvature(eta);
      // The lower triangle alone; rows of x are often mostly zeros.
      for (let j = 0; j < size; j++) {
        const value = curvature * (data[n * size + j] as number);
        if (value === 0) continue;
        for (let k = 0; k <= j; k++) precision[j * size + k] = (precision[j * size + k] as number) + value * (data[n * size + k] as number);
      }
    }
    return { gradient, definite: factorPrecision(precision, size), factor: precision };
  };

  function laplace(subset: WeightedSubset = everyone): LaplaceFit {
    checkSubset(subset, count);
    let theta = new Float64Array(size);
    let height = logPosterior(theta, subset);
    for (let step = 0, last = false; step < mostSteps; step++) {
      const { gradient, definite, factor } = expand(theta, subset);
      if (!definite) break;
      if (last) return laplaceFit(theta, factor);
      const direction = Float64Array.from(gradient);
      solveLower(factor, size, direction);
      // gᵀH⁻¹g, twice what is left to climb if the function were quadratic. One step from here squares what is missing, which
      // ends at rounding; heights would no longer tell which step is longer.
      const left = dotAt(direction, 0, direction) / (1 + Math.abs(height));
      last = left <= 1e-16;
      solveLowerTransposed(factor, size, direction);
      const before = theta;
      for (let length = 1; length > 1e-10; length /= 2) {
        const next = before.map((value, j) => value + length * (direction[j] as number));
        const reached = logPosterior(next, subset);
        if (!last && !(reached > height)) continue;
        [theta, height] = [next, reached];
        break;
      }
      if (theta !== before) continue;
      // No step climbs: at the mode, as far as heights tell, or lost.
      if (left > 1e-10) break;
      return laplaceFit(theta, factor);
    }
    throw new NonFiniteError(
      `no mode found for the posterior of ${subset.indices.length} weighted points`,
      mostSteps,
      'scale the inputs to the order of 1, or raise priorPrecision',
    );
  }

  function logLikelihoods(draws: RowMatrix, rows = everyone.indices) {
    const [total, columns] = draws.shape;
    if (columns !== size || draws.data.length !== total * size)
      throw new ShapeError(`draws has shape [${draws.shape}], expected [draws, ${size}]`, 'pass one row of coefficients per draw');
    // Coefficient by coefficient, so that a zero input skips all draws at once.
    const byColumn = new Float64Array(draws.data.length);
    for (let s = 0; s < total; s++) for (let j = 0; j < size; j++) byColumn[j * total + s] = draws.data[s * size + j] as number;
    const values = new Float64Array(rows.length * total);
    const eta = new Float64Array(total);
    for (let i = 0; i < rows.length; i++) {
      const n = rows[i] as number;
      eta.fill(0);
      for (let j = 0; j < size; j++) {
        const input = data[n * size + j] as number;
        if (input !== 0) addScaled(eta, input, byColumn, j * total);
      }
      for (let s = 0; s < total; s++) values[i * total + s] = family.logLikelihood(eta[s] as number, y[n] as number);
    }
    return { data: values, shape: [rows.length, total] as const };
  }

  return {
    count,
    size,
    laplace,
    logLikelihoods,
    sampler: ({ indices, weights, rows, draws, key }) => logLikelihoods(laplace({ indices, weights }).draw(key, draws), rows).data,
  };
}
