import { ConfigError } from '../errors.js';

/** The six groups of differentiable siamese augmentation. */
export const AUGMENTATION_GROUPS = ['color', 'crop', 'cutout', 'flip', 'scale', 'rotate'] as const;
export type AugmentationGroup = (typeof AUGMENTATION_GROUPS)[number];

/** The default strategy of the papers, for photographs. */
export const DSA_STRATEGY = 'color_crop_cutout_flip_scale_rotate';
/** For digits, which a mirror image turns into something else. */
export const DSA_STRATEGY_WITHOUT_FLIP = 'color_crop_cutout_scale_rotate';

/** Which groups to draw from, and how images are sampled between pixels. */
export interface AugmentStrategy {
  readonly groups: readonly AugmentationGroup[];
  /** Coordinate ±1 is the centre of the first and last pixel (true), or their outer edges (false). */
  readonly alignCorners: boolean;
}

/**
 * A strategy from its name: groups joined by `_`, or `none`.
 *
 * `alignCorners` is true by default, as in the released code of DSA, MTT and BPC.
 *
 * @throws ConfigError on an unknown or repeated group.
 * @example
 * ```ts
 * import { parseAugmentation } from '@bpc/core';
 * parseAugmentation('color_crop').groups; // ['color', 'crop']
 * ```
 */
export function parseAugmentation(name: string, { alignCorners = true }: { readonly alignCorners?: boolean } = {}): AugmentStrategy {
  if (name === 'none') return { groups: [], alignCorners };
  const groups = name.split('_').map((group) => {
    const known = AUGMENTATION_GROUPS.find((candidate) => candidate === group);
    if (known === undefined) {
      throw new ConfigError(
        `augmentation '${name}' has the unknown group '${group}'`,
        `join some of ${AUGMENTATION_GROUPS.join(', ')} by '_', or use 'none'`,
      );
    }
    return known;
  });
  if (new Set(groups).size !== groups.length) throw new ConfigError(`augmentation '${name}' repeats a group`, 'name each group once');
  return { groups, alignCorners };
}
