import { at, checkTable, type FloatArray, logSumExp } from './predictions.js';
import { nll } from './scores.js';

/**
 * Fit the one temperature that calibrates a model: `T* = argmin_T NLL(softmax(logits / T))`.
 *
 * The NLL is convex in `1/T`; its derivative `mean_i (E_p[z_i] − z_i,y)` is bisected to machine precision. Fit on validation
 * points, then divide test logits by `T*`. Source: Guo et al. 2017, "On calibration of modern neural networks", section 4.2.
 *
 * @param logits - `[points, classes]` of one model.
 * @returns the temperature, within `[1e-3, 1e3]` (the bound itself where the optimum lies outside, as for points that are
 * all correct), and the NLL there in nats per point.
 * @throws ShapeError, ConfigError if logits and labels do not fit.
 *
 * @example
 * ```ts
 * import { fitTemperature } from '@bpc/bench';
 * // Three of four points are right, so the best confidence is 3/4: 4 / T = log 3.
 * const { temperature } = fitTemperature(Float64Array.of(4, 0, 4, 0, 4, 0, 4, 0), [0, 0, 0, 1]);
 * console.log(temperature); // 3.641…
 * ```
 */
export function fitTemperature(logits: FloatArray, labels: ArrayLike<number>): { readonly temperature: number; readonly nll: number } {
  const classes = checkTable(logits, labels);
  let low = Math.log(1e-3);
  let high = Math.log(1e3);
  for (let i = 0; i < 200 && high - low > 1e-15; i++) {
    const middle = (low + high) / 2;
    if (slope(logits, labels, classes, Math.exp(middle)) > 0) high = middle;
    else low = middle;
  }
  const temperature = Math.exp(-(low + high) / 2);
  return { temperature, nll: nll([Float64Array.from(logits, (z) => z / temperature)], labels) };
}

/** Derivative of the mean NLL by the inverse temperature. */
function slope(logits: FloatArray, labels: ArrayLike<number>, classes: number, inverse: number): number {
  const row = new Float64Array(classes);
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    for (let c = 0; c < classes; c++) row[c] = at(logits, i * classes + c) * inverse;
    const normaliser = logSumExp(row);
    for (let c = 0; c < classes; c++) sum += Math.exp(at(row, c) - normaliser) * at(logits, i * classes + c);
    sum -= at(logits, i * classes + at(labels, i));
  }
  return sum / labels.length;
}
