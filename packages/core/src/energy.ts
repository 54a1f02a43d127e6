import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, div, expandDims, expm1, maximum, mean, mul, neg, pow, relu, squaredDifference, sub, sum } from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.js';
import { crossEntropy, logSoftmax, softmax } from './ops.js';

/**
 * Energy of each example, −log likelihood up to a constant, in nats.
 *
 * `outputs`, `targets [n, outputs]` to `[n]`. Pure; differentiable to second order in both arguments.
 */
export type Energy = (outputs: Tensor, targets: Tensor) => Tensor1D;

/** How targets of a classification energy are stored. */
export interface TargetOptions {
  /**
   * `'probabilities'` (default): one-hot or soft labels. `'logits'`: the energy sees softmax(targets), so that labels
   * learned without constraints stay on the simplex.
   */
  readonly targets?: 'probabilities' | 'logits';
}

function classification(options: TargetOptions, energy: (logits: Tensor, labels: Tensor) => Tensor): Energy {
  const { targets: kind = 'probabilities' } = options;
  if (kind !== 'probabilities' && kind !== 'logits') {
    throw new ConfigError(`targets is '${String(kind)}', expected 'probabilities' or 'logits'`, 'pass one of the two');
  }
  return (outputs, targets) => {
    checkShapes(outputs, targets);
    return energy(outputs, kind === 'logits' ? softmax(targets) : targets) as Tensor1D;
  };
}

function checkShapes(outputs: Tensor, targets: Tensor): void {
  if (outputs.rank !== 2 || outputs.shape.join() !== targets.shape.join()) {
    throw new ShapeError(
      `outputs have shape [${outputs.shape}] and targets [${targets.shape}]`,
      'pass both as [n, outputs]; make class indices one-hot',
    );
  }
}

function checkNumber(name: string, value: number, minimum: number, open: boolean): void {
  if (!Number.isFinite(value) || value < minimum || (open && value === minimum)) {
    throw new ConfigError(`${name} is ${value}, expected a finite number ${open ? '>' : '>='} ${minimum}`, `pass another ${name}`);
  }
}

/**
 * ℓ = −Σ_c t_c log softmax(z)_c, for hard (one-hot) and soft labels.
 *
 * @example
 * ```ts
 * import { crossEntropyEnergy } from '@bpc/core';
 * const energy = crossEntropyEnergy({ targets: 'logits' });
 * ```
 */
export function crossEntropyEnergy(options: TargetOptions = {}): Energy {
  return classification(options, crossEntropy);
}

/**
 * ℓ = −Σ_c t_c (1 − p_c)^γ log p_c with p = softmax(z).
 *
 * Lin et al. 2017; γ = 0.7 by default, the value of the BPC-CD code.
 *
 * @throws ConfigError unless γ ≥ 0.
 */
export function focalEnergy(options: TargetOptions & { readonly gamma?: number } = {}): Energy {
  const { gamma = 0.7 } = options;
  checkNumber('gamma', gamma, 0, false);
  return classification(options, (logits, labels) => {
    const logP = logSoftmax(logits);
    // Floored, because the derivative of x^γ is infinite at 0 for γ < 1, where a certain prediction ends up in float32.
    const rest = maximum(neg(expm1(logP)), 1e-12);
    return neg(sum(mul(labels, mul(pow(rest, gamma), logP)), -1));
  });
}

/**
 * ℓ = Σ_y t_y · (1/C) Σ_{j≠y} max(0, margin − z_y + z_j)^power, PyTorch's MultiMarginLoss for hard labels and its
 * expectation for soft ones. Defaults margin 1, power 1. Needs memory for n·C² values.
 *
 * @throws ConfigError unless margin > 0 and power is 1 or 2.
 */
export function multiClassMarginEnergy(options: TargetOptions & { readonly margin?: number; readonly power?: 1 | 2 } = {}): Energy {
  const { margin = 1, power = 1 } = options;
  checkNumber('margin', margin, 0, true);
  if (power !== 1 && power !== 2) throw new ConfigError(`power is ${String(power)}, expected 1 or 2`, 'pass 1 or 2');
  return classification(options, (logits, labels) => {
    // violation[n, y, j]; the diagonal j = y is always `margin` and is taken off afterwards.
    const violation = relu(add(sub(expandDims(logits, 1), expandDims(logits, 2)), margin));
    const perLabel = sub(sum(power === 1 ? violation : mul(violation, violation), -1), margin ** power);
    return div(sum(mul(labels, perLabel), -1), logits.shape[1] ?? 1);
  });
}

/**
 * ℓ = −Σ_c t_c z_c, the energy of p(x, y) ∝ exp z_y: cross-entropy minus log Σ exp z.
 *
 * Grathwohl et al. 2020; the energy of the BPC-CD code with its `logsumexp` switch.
 */
export function jointEnergy(options: TargetOptions = {}): Energy {
  return classification(options, (logits, labels) => neg(sum(mul(labels, logits), -1)));
}

/**
 * ℓ = ½·precision·‖t − z‖², Gaussian regression without its constant. `precision` is 1 by default.
 *
 * @throws ConfigError unless the precision is positive.
 */
export function gaussianEnergy(options: { readonly precision?: number } = {}): Energy {
  const { precision = 1 } = options;
  checkNumber('precision', precision, 0, true);
  return (outputs, targets) => {
    checkShapes(outputs, targets);
    return mul(sum(squaredDifference(targets, outputs), -1), precision / 2) as Tensor1D;
  };
}

/** How energies of examples become one: Σ w ℓ, (1/M) Σ w ℓ over M examples, or Σ w ℓ / Σ w. */
export type Reduction = 'sum' | 'mean' | 'weightedMean';

/** Reduces per-example energies `[M]` with `weights [M]` (all one if left out). Differentiable in the weights. */
export function reduceEnergy(perExample: Tensor, weights: Tensor | undefined, reduction: Reduction): Scalar {
  const weighted = weights === undefined ? perExample : mul(perExample, weights);
  switch (reduction) {
    case 'sum':
      return sum(weighted) as Scalar;
    case 'mean':
      return mean(weighted) as Scalar;
    case 'weightedMean':
      return (weights === undefined ? mean(perExample) : div(sum(weighted), sum(weights))) as Scalar;
    default:
      throw new ConfigError(
        `reduction is '${String(reduction satisfies never)}', expected 'sum', 'mean' or 'weightedMean'`,
        'pass one of the three',
      );
  }
}
