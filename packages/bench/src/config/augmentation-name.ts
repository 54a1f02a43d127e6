import { z } from 'zod';

/** The six groups of differentiable siamese augmentation. */
export const augmentationGroups = ['color', 'crop', 'cutout', 'flip', 'scale', 'rotate'] as const;

const expected = `'none' or groups joined by '_', out of: ${augmentationGroups.join(', ')}`;

/** `none`, or a strategy such as `color_crop_cutout_scale_rotate`. */
export const augmentationName = () =>
  z.string({ error: expected }).refine(
    (name) => {
      const groups = name.split('_');
      const known = groups.every((group) => augmentationGroups.some((candidate) => candidate === group));
      return name === 'none' || (known && new Set(groups).size === groups.length);
    },
    { error: expected },
  );
