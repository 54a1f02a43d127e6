import { disposeTree, foldIn, type Key } from '@bpc/core';
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { ImageShape } from '../data/dataset.js';
import { batchAugmentation } from './augmentation.js';
import type { ChainData } from './chain-energy.js';
import { coresetTensors, type HostCoreset } from './host-coreset.js';

/** A coreset as chains see it: its points, and augmentations of them. */
export interface CoresetPoints {
  /** Without augmentation. Owned by this object. */
  readonly plain: ChainData;
  /** Images of step `at`, `[points, …]`; `undefined` if nothing is augmented. The caller disposes them. */
  augmented(at: number): Tensor | undefined;
  /** Images of `length` steps from `at` on, `[length, points, …]`. The caller disposes them. */
  augmentedBlock(at: number, length: number): Tensor | undefined;
  dispose(): void;
}

interface PointsOptions {
  readonly coreset: HostCoreset;
  readonly strategy: string;
  readonly shape: ImageShape;
  /** Step `at` is augmented with `foldIn(key, at)`. */
  readonly key: Key;
}

/** Tensors of a coreset for one chain. */
export function coresetPoints({ coreset, strategy, shape, key }: PointsOptions): CoresetPoints {
  const plain = coresetTensors(coreset);
  const augment = strategy === 'none' ? undefined : batchAugmentation(strategy, shape);
  const size = coreset.x.length;
  return {
    plain,
    augmented(at) {
      return augment === undefined ? undefined : tensor(augment(coreset.x, foldIn(key, at)), plain.x.shape, 'float32');
    },
    augmentedBlock(at, length) {
      if (augment === undefined) return undefined;
      const images = new Float32Array(length * size);
      for (let i = 0; i < length; i++) images.set(augment(coreset.x, foldIn(key, at + i)), i * size);
      return tensor(images, [length, ...plain.x.shape], 'float32');
    },
    dispose: () => disposeTree(plain),
  };
}
