export {
  type AugmentationDraw,
  type AugmentationVariant,
  applyAugmentation,
  augmentationInputs,
  augmentationVariants,
  drawAugmentation,
} from './augment.js';
export * from './host.js';
export * from './parameters.js';
export * from './strategy.js';
