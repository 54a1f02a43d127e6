import { AUGMENTATION_GROUPS, BpcError, parseAugmentation } from '@bpc/core';
import { z } from 'zod';

const expected = `'none' or groups joined by '_', out of: ${AUGMENTATION_GROUPS.join(', ')}`;

function isAugmentation(name: string): boolean {
  try {
    parseAugmentation(name);
    return true;
  } catch (error) {
    if (error instanceof BpcError) return false;
    throw error;
  }
}

/** `none`, or a strategy such as `color_crop_cutout_scale_rotate`. */
export const augmentationName = () => z.string({ error: expected }).refine(isAugmentation, { error: expected });
