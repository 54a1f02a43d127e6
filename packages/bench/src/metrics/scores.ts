import { argMax, at, bmaProbabilities, checkEnsemble, checkTable, type EnsembleLogits, type FloatArray, logSumExp } from './predictions.js';

/**
 * Share of points whose largest probability is at the label.
 *
 * @param probabilities - `[points, classes]`, for instance of `bmaProbabilities`.
 * @throws ShapeError, ConfigError if table and labels do not fit.
 */
export function accuracy(probabilities: FloatArray, labels: ArrayLike<number>): number {
  const classes = checkTable(probabilities, labels);
  let correct = 0;
  for (let i = 0; i < labels.length; i++) if (argMax(probabilities, i * classes, classes) === labels[i]) correct++;
  return correct / labels.length;
}

/**
 * Negative log-likelihood of the averaged prediction, in nats per point.
 *
 * `−(1/N) Σ_i log (1/K) Σ_k p(y_i | x_i, θ_k)`, from logits by log-sum-exp per point, so that it stays finite where
 * probabilities underflow.
 *
 * @throws ShapeError, ConfigError if logits and labels do not fit.
 *
 * @example
 * ```ts
 * import { nll } from '@bpc/bench';
 * console.log(nll([Float32Array.of(0, 0, 0, 0)], [0, 1])); // 0.693… = log 2
 * ```
 */
export function nll(logits: EnsembleLogits, labels: ArrayLike<number>): number {
  const logLikelihoods = logLikelihoodsPerModel(logits, labels);
  const column = new Float64Array(logits.length);
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    logLikelihoods.forEach((model, k) => {
      column[k] = at(model, i);
    });
    sum += logSumExp(column) - Math.log(logits.length);
  }
  return -sum / labels.length;
}

/** Mean over models of each model's own negative log-likelihood; by Jensen never below `nll`. Nats per point. */
export function meanSingleModelNll(logits: EnsembleLogits, labels: ArrayLike<number>): number {
  const sums = logLikelihoodsPerModel(logits, labels).map((model) => model.reduce((a, b) => a + b, 0));
  return -sums.reduce((a, b) => a + b, 0) / logits.length / labels.length;
}

/**
 * Brier score, in `[0, 2]`: `(1/N) Σ_i Σ_c (p_ic − 1[y_i = c])²`.
 *
 * @throws ShapeError, ConfigError if table and labels do not fit.
 */
export function brier(probabilities: FloatArray, labels: ArrayLike<number>): number {
  const classes = checkTable(probabilities, labels);
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    for (let c = 0; c < classes; c++) sum += (at(probabilities, i * classes + c) - (labels[i] === c ? 1 : 0)) ** 2;
  }
  return sum / labels.length;
}

/** `log p(y_i | x_i, θ_k)` for every model and point. */
export function logLikelihoodsPerModel(logits: EnsembleLogits, labels: ArrayLike<number>): Float64Array[] {
  const [first] = logits;
  const classes = first === undefined ? 0 : checkTable(first, labels);
  checkEnsemble(logits, classes || 2);
  return logits.map((model) => {
    checkTable(model, labels);
    return Float64Array.from(
      { length: labels.length },
      (_, i) => at(model, i * classes + at(labels, i)) - logSumExp(model, i * classes, classes),
    );
  });
}

/** Entropies per point, in nats. */
export interface EntropyDecomposition {
  /** `H(p̄_i)`: all uncertainty. */
  readonly predictive: Float64Array;
  /** `(1/K) Σ_k H(p_ik)`: what remains when the parameters are known. */
  readonly expected: Float64Array;
  /** Their difference: what the models disagree about. */
  readonly mutualInformation: Float64Array;
}

/**
 * Split predictive entropy into expected entropy and mutual information.
 *
 * `I_i = H(p̄_i) − (1/K) Σ_k H(p_ik)`. Source: Houlsby et al. 2011, "Bayesian active learning for classification", eq. 2.
 *
 * @throws ShapeError, ConfigError as `bmaProbabilities`.
 */
export function entropyDecomposition(logits: EnsembleLogits, classes: number): EntropyDecomposition {
  const predictive = rowEntropies(bmaProbabilities(logits, classes), classes);
  const expected = new Float64Array(predictive.length);
  for (const model of logits) {
    rowEntropies(bmaProbabilities([model], classes), classes).forEach((entropy, i) => {
      expected[i] = at(expected, i) + entropy / logits.length;
    });
  }
  return { predictive, expected, mutualInformation: predictive.map((entropy, i) => entropy - at(expected, i)) };
}

function rowEntropies(probabilities: FloatArray, classes: number): Float64Array {
  return Float64Array.from({ length: probabilities.length / classes }, (_, i) => {
    let entropy = 0;
    for (let c = i * classes; c < (i + 1) * classes; c++) {
      const p = at(probabilities, c);
      if (p > 0) entropy -= p * Math.log(p);
    }
    return entropy;
  });
}
