import { DSA_STRATEGY, DSA_STRATEGY_WITHOUT_FLIP } from '@bpc/core';
import { manifestEntry, shippedManifest } from './manifest.js';

/**
 * The strategy of differentiable siamese augmentation for a data set: all six groups, without `flip` for digits.
 *
 * A mirrored photograph shows the same class; a mirrored digit does not. Source: B. Zhao, H. Bilen, "Dataset condensation
 * with differentiable siamese augmentation" (ICML 2021), §4.1.
 *
 * @throws ConfigError for an unknown data set, listing the known ones.
 *
 * @example
 * ```ts
 * import { dsaStrategy } from '@bpc/bench';
 * console.log(dsaStrategy('cifar10')); // color_crop_cutout_flip_scale_rotate
 * console.log(dsaStrategy('svhn10k')); // color_crop_cutout_scale_rotate
 * ```
 */
export function dsaStrategy(dataset: string): string {
  return manifestEntry(shippedManifest(), dataset).mirrored ? DSA_STRATEGY : DSA_STRATEGY_WITHOUT_FLIP;
}
