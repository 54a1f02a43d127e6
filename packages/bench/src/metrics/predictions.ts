import { ConfigError, ShapeError } from '@bpc/core';

/** Numbers of one model or one table, row-major. */
export type FloatArray = Float32Array | Float64Array;

/**
 * Logits of several models on the same points: one `[points, classes]` array per model (draw, chain or ensemble member).
 * All metrics compute in float64 whatever the arrays hold.
 */
export type EnsembleLogits = readonly FloatArray[];

/**
 * Averaged predictive probabilities of an ensemble ("Bayesian model averaging").
 *
 * `p̄_i = (1/K) Σ_k softmax(logits_k,i)`
 *
 * @returns `[points, classes]`, float64, rows sum to one.
 * @throws ConfigError if there is no model or `classes` is below 2; ShapeError if the models disagree in length.
 *
 * @example
 * ```ts
 * import { bmaProbabilities } from '@bpc/bench';
 * const logits = [Float32Array.of(2, 0), Float32Array.of(0, 2)];
 * console.log(bmaProbabilities(logits, 2)); // Float64Array [0.5, 0.5]
 * ```
 */
export function bmaProbabilities(logits: EnsembleLogits, classes: number): Float64Array<ArrayBuffer> {
  const points = checkEnsemble(logits, classes);
  const mean = new Float64Array(points * classes);
  for (const model of logits) {
    for (let start = 0; start < mean.length; start += classes) {
      const normaliser = logSumExp(model, start, classes);
      for (let c = start; c < start + classes; c++) mean[c] = at(mean, c) + Math.exp(at(model, c) - normaliser) / logits.length;
    }
  }
  return mean;
}

/** `log Σ_c exp(values[start + c])`, shifted by the largest value so that nothing overflows. */
export function logSumExp(values: FloatArray, start = 0, count = values.length): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = start; i < start + count; i++) largest = Math.max(largest, at(values, i));
  if (!Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += Math.exp(at(values, i) - largest);
  return largest + Math.log(sum);
}

/** Index of the largest entry of a row; the first one on ties. */
export function argMax(values: FloatArray, start: number, count: number): number {
  let best = 0;
  for (let c = 1; c < count; c++) if (at(values, start + c) > at(values, start + best)) best = c;
  return best;
}

/** An entry that is known to exist. */
export const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN;

/** Number of points. @throws as `bmaProbabilities`. */
export function checkEnsemble(logits: EnsembleLogits, classes: number): number {
  const [first] = logits;
  if (first === undefined) throw new ConfigError('logits has no model, expected at least one', 'pass the logits of every model');
  if (!Number.isInteger(classes) || classes < 2)
    throw new ConfigError(`classes is ${classes}, expected an integer of at least 2`, 'pass the number of classes');
  const odd = logits.find((model) => model.length !== first.length);
  if (odd !== undefined || first.length === 0 || first.length % classes !== 0) {
    throw new ShapeError(
      `a model has ${(odd ?? first).length} logits, expected ${odd === undefined ? `points × ${classes}` : first.length} as for every model`,
      'pass the logits of all models on the same points, [points, classes]',
    );
  }
  return first.length / classes;
}

/**
 * Number of classes of a `[points, classes]` table, given one label per point.
 *
 * @throws ShapeError if the lengths do not fit; ConfigError for a label outside the classes or a NaN in the table.
 */
export function checkTable(values: FloatArray, labels: ArrayLike<number>): number {
  const classes = values.length / labels.length;
  if (labels.length === 0 || !Number.isInteger(classes) || classes < 2) {
    throw new ShapeError(
      `there are ${values.length} values for ${labels.length} labels, expected labels × classes`,
      'pass one row per label',
    );
  }
  for (let i = 0; i < labels.length; i++) {
    const label = at(labels, i);
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new ConfigError(`label ${label} of point ${i} is outside the classes 0 … ${classes - 1}`, 'pass class indices');
    }
  }
  const bad = values.findIndex((value) => Number.isNaN(value));
  if (bad >= 0) throw new ConfigError(`the prediction of point ${Math.floor(bad / classes)} is NaN`, 'check the model that made it');
  return classes;
}
