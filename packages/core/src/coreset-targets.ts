import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';
import { ConfigError } from './errors.js';

/** How class labels become a coreset's `y`. */
export type TargetFormat =
  /** One-hot rows, for energies with `targets: 'probabilities'`. */
  | { readonly kind: 'one-hot' }
  /**
   * Logits with softmax = one-hot smoothed by `smoothing` (probability 1 − s for the class, s/(C − 1) for each other), for
   * energies with `targets: 'logits'`. Default s = 0.1: sharper ones have vanishing gradients.
   */
  | { readonly kind: 'logits'; readonly smoothing?: number }
  /** One-hot rows times `scale`, as logits. */
  | { readonly kind: 'scaled'; readonly scale: number };

/** @throws ConfigError naming the first label that is not an integer in `[0, classes)`. */
export function checkLabels(labels: ArrayLike<number>, classes: number): void {
  if (!Number.isInteger(classes) || classes < 2)
    throw new ConfigError(`classes is ${classes}, expected an integer >= 2`, 'pass the number of classes');
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? Number.NaN;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new ConfigError(
        `labels[${i}] is ${label}, expected an integer in [0, ${classes})`,
        'check the labels and the number of classes',
      );
    }
  }
}

/**
 * Targets `[labels, classes]` of class indices. The caller owns the tensor.
 *
 * @throws ConfigError for labels outside the classes, or smoothing outside (0, 1 − 1/classes).
 * @example
 * ```ts
 * import { classTargets } from '@bpc/core';
 * const y = classTargets([0, 2], 3, { kind: 'logits', smoothing: 0.1 });
 * ```
 */
export function classTargets(labels: ArrayLike<number>, classes: number, format: TargetFormat = { kind: 'one-hot' }): Tensor {
  checkLabels(labels, classes);
  const high = highValue(classes, format);
  const values = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) values[i * classes + (labels[i] ?? 0)] = high;
  return tensor(values, [labels.length, classes], 'float32');
}

function highValue(classes: number, format: TargetFormat): number {
  switch (format.kind) {
    case 'one-hot':
      return 1;
    case 'scaled':
      if (!Number.isFinite(format.scale) || format.scale <= 0)
        throw new ConfigError(`scale is ${format.scale}, expected a number > 0`, 'pass a positive scale');
      return format.scale;
    case 'logits': {
      const { smoothing = 0.1 } = format;
      if (!(smoothing > 0 && smoothing < 1 - 1 / classes)) {
        throw new ConfigError(
          `smoothing is ${smoothing}, expected a number in (0, ${1 - 1 / classes})`,
          'pass a smaller positive smoothing',
        );
      }
      return Math.log(((1 - smoothing) * (classes - 1)) / smoothing);
    }
    default:
      throw new ConfigError(
        `target format is '${String((format satisfies never as TargetFormat).kind)}'`,
        "pass 'one-hot', 'logits' or 'scaled'",
      );
  }
}
