import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, cast, mean, minimum, mul, reshape, scalar, stack, sub, tensor } from '@tensorflow/tfjs-core';
import { ShapeError } from '../errors.js';
import { gatherRows } from '../ops.js';
import type { Key } from '../random.js';
import type { Tree } from '../tree.js';
import { treeMap } from '../tree.js';
import type { AugmentationDrawOptions, AugmentationParameters } from './parameters.js';
import { drawAugmentationParameters } from './parameters.js';
import { resampleTaps } from './resample.js';
import type { AugmentStrategy } from './strategy.js';

/** Which program an augmentation needs: groups that differ only in numbers share one. */
export type AugmentationVariant = 'none' | 'color' | 'cutout' | 'move' | 'resample';

type ColorInputs = { readonly brightness: Tensor; readonly saturation: Tensor; readonly contrast: Tensor };
type CutoutInputs = { readonly mask: Tensor };
type ResampleInputs = { readonly taps: readonly { readonly index: Tensor; readonly weight: Tensor }[] };

/** An augmentation whose numbers are tensors, inputs of the program that applies it. Owned by the caller. */
export type AugmentationDraw =
  | { readonly variant: 'none'; readonly inputs: readonly Tree[] }
  | { readonly variant: 'color'; readonly inputs: ColorInputs }
  | { readonly variant: 'cutout'; readonly inputs: CutoutInputs }
  | { readonly variant: 'move' | 'resample'; readonly inputs: ResampleInputs };

const VARIANT_OF = { color: 'color', crop: 'move', cutout: 'cutout', flip: 'move', scale: 'resample', rotate: 'resample' } as const;

/** The variants that draws of a strategy can have, each once. */
export function augmentationVariants({ groups }: AugmentStrategy): readonly AugmentationVariant[] {
  return groups.length === 0 ? ['none'] : [...new Set(groups.map((group) => VARIANT_OF[group]))];
}

/** 1 outside the square of `size` around `centre` (first row: centre − ⌊size/2⌋), 0 inside; flat [batch, height, width]. */
export function cutoutMask(
  { centre, size }: Extract<AugmentationParameters, { readonly group: 'cutout' }>,
  batch: number,
  height: number,
  width: number,
): Float32Array {
  const mask = new Float32Array(batch * height * width).fill(1);
  for (let b = 0; b < batch; b++) {
    const top = (centre[2 * b] ?? 0) - Math.floor(size[0] / 2);
    const left = (centre[2 * b + 1] ?? 0) - Math.floor(size[1] / 2);
    for (let i = Math.max(0, top); i < Math.min(height, top + size[0]); i++) {
      const row = (b * height + i) * width;
      mask.fill(0, row + Math.max(0, left), row + Math.max(0, Math.min(width, left + size[1])));
    }
  }
  return mask;
}

/** The program inputs of an augmentation with known parameters. Fresh tensors, owned by the caller. */
export function augmentationInputs(parameters: AugmentationParameters, batch: number, height: number, width: number): AugmentationDraw {
  switch (parameters.group) {
    case 'none':
      return { variant: 'none', inputs: [] };
    case 'color': {
      const perImage = (values: Float32Array) => tensor(values, [batch, 1, 1, 1], 'float32');
      const { brightness, saturation, contrast } = parameters;
      return {
        variant: 'color',
        inputs: { brightness: perImage(brightness), saturation: perImage(saturation), contrast: perImage(contrast) },
      };
    }
    case 'cutout':
      return {
        variant: 'cutout',
        inputs: { mask: tensor(cutoutMask(parameters, batch, height, width), [batch, height, width, 1], 'float32') },
      };
    default: {
      const pixels = batch * height * width;
      const taps = resampleTaps(parameters, batch, height, width).map(({ index, weight }) => ({
        index: tensor(index, [pixels], 'int32'),
        weight: tensor(weight, [pixels, 1], 'float32'),
      }));
      return { variant: VARIANT_OF[parameters.group], inputs: { taps } };
    }
  }
}

/**
 * Draws one augmentation for a batch: `variant` selects the program, `inputs` are its arguments (fresh tensors, owned by
 * the caller). Random choices are made here, on the host, so that nothing random is baked into a program.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { ones } from '@tensorflow/tfjs-core';
 * import { applyAugmentation, drawAugmentation, key, parseAugmentation } from '@bpc/core';
 * const { variant, inputs } = drawAugmentation(key(0), parseAugmentation('color_crop'), 10, 28, 28);
 * const augmented = applyAugmentation(variant, ones([10, 28, 28, 1]), inputs);
 * ```
 */
export function drawAugmentation(
  key: Key,
  strategy: AugmentStrategy,
  batch: number,
  height: number,
  width: number,
  options?: AugmentationDrawOptions,
): AugmentationDraw {
  return augmentationInputs(drawAugmentationParameters(key, strategy, batch, height, width, options), batch, height, width);
}

/** The inputs of draw number `min(draw, draws − 1)`; `draw` is an int32 scalar, possibly the number of an iteration. */
export function selectDraw(draws: readonly Tree[], draw: Scalar): Tree {
  const [first = [], ...rest] = draws;
  if (rest.length === 0) return first;
  const row = reshape(cast(minimum(draw, scalar(rest.length, 'int32')), 'int32'), [1]);
  return treeMap((...leaves) => reshape(gatherRows(stack(leaves), row), leaves[0].shape), first, ...rest);
}

/**
 * Applies an augmentation to images `x [batch, height, width, channels]` (normalised); pure and differentiable in `x`.
 *
 * - color: brightness `x + (u − ½)`, saturation `(x − m)·2u + m` (m: mean over channels of each pixel), contrast
 *   `(x − m)(u + ½) + m` (m: mean of each image), in this order;
 * - cutout: `x·mask`;
 * - move, resample (crop, flip; scale, rotate): `Σ_t w_t·x[index_t]`, zero outside the image.
 *
 * Zhao & Bilen 2021, released code. Inside a program, `inputs` are program inputs.
 *
 * @throws ShapeError if `x` is not of rank 4 or `inputs` belong to another variant.
 */
export function applyAugmentation(variant: AugmentationVariant, x: Tensor, inputs: Tree): Tensor {
  if (x.shape.length !== 4)
    throw new ShapeError(`x has shape [${x.shape}], expected [batch, height, width, channels]`, 'augment images only');
  switch (variant) {
    case 'none':
      return x;
    case 'color':
      return color(x, fields<ColorInputs>(variant, inputs, 'brightness'));
    case 'cutout':
      return mul(x, fields<CutoutInputs>(variant, inputs, 'mask').mask);
    default:
      return resample(x, fields<ResampleInputs>(variant, inputs, 'taps'));
  }
}

function fields<T extends Tree>(variant: AugmentationVariant, inputs: Tree, field: string): T {
  if (!(field in inputs))
    throw new ShapeError(`the inputs of '${variant}' have no '${field}'`, 'pass the variant and the inputs of one draw');
  return inputs as T;
}

function color(x: Tensor, { brightness, saturation, contrast }: ColorInputs): Tensor {
  /** (x − m)·factor + m */
  const spread = (image: Tensor, axes: number[], factor: Tensor): Tensor => {
    const m = mean(image, axes, true);
    return add(mul(sub(image, m), factor), m);
  };
  const bright = add(x, sub(brightness, 0.5));
  return spread(spread(bright, [3], mul(saturation, 2)), [1, 2, 3], add(contrast, 0.5));
}

function resample(x: Tensor, { taps }: ResampleInputs): Tensor {
  const rows = reshape(x, [-1, x.shape[3] ?? 1]);
  const terms = taps.map(({ index, weight }) => mul(gatherRows(rows, index), weight));
  return reshape(
    terms.reduce((a, b) => add(a, b)),
    x.shape,
  );
}
