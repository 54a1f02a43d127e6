import type { Key, KeyImplementation } from '@bpc/core';
import { foldIn } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Shape } from '../ir/index.js';

/** Noise that the host draws for each call and passes as an input. */
export type NoiseSource = {
  readonly kind: 'normal' | 'uniform';
  /** Position of the key among the arguments. */
  readonly argument: number;
  /** Numbers folded into that key, in order; `split` folds too. */
  readonly folds: readonly number[];
  readonly shape: Shape;
};

/** A key without a value: draws become inputs of the program. */
export function symbolicKey(argument: number, draw: (source: NoiseSource) => Tensor, folds: readonly number[] = []): KeyImplementation {
  return {
    words: undefined,
    foldIn: (data) => symbolicKey(argument, draw, [...folds, data]),
    normal: (shape) => draw({ kind: 'normal', argument, folds, shape: [...shape] }),
    uniform: (shape) => draw({ kind: 'uniform', argument, folds, shape: [...shape] }),
  };
}

/** The key that a source draws from, given the real key of the call. */
export const derivedKey = (real: Key, source: NoiseSource): Key => source.folds.reduce((k, data) => foldIn(k, data), real);
