import type { Key } from '../random.js';
import { foldIn, hostInteger, hostUniform } from '../random.js';
import type { AugmentStrategy } from './strategy.js';

/**
 * Parameters of one augmentation, on the host; one entry per image. `u…` are draws from U[0, 1).
 *
 * `crop` has shifts (dy, dx): `out[i, j] = x[i + dy, j + dx]`. `cutout` has centres (cy, cx) of a zero square. `scale` has
 * (sx, sy), factors from output to input coordinates (above 1 shrinks). `rotate` has angles in radians.
 */
export type AugmentationParameters =
  | { readonly group: 'none' }
  | { readonly group: 'color'; readonly brightness: Float32Array; readonly saturation: Float32Array; readonly contrast: Float32Array }
  | { readonly group: 'crop'; readonly shift: Int32Array }
  | { readonly group: 'cutout'; readonly centre: Int32Array; readonly size: readonly [height: number, width: number] }
  | { readonly group: 'flip'; readonly flip: Int32Array }
  | { readonly group: 'scale'; readonly scale: Float32Array; readonly alignCorners: boolean }
  | { readonly group: 'rotate'; readonly angle: Float32Array; readonly alignCorners: boolean };

/** Options of a draw. */
export type AugmentationDrawOptions = {
  /** `'single'`: one group, drawn uniformly, for the whole batch (the only mode that the papers use). */
  readonly mode?: 'single';
  /** All images share one draw of the parameters, as DSA does for real and synthetic batches (false by default). */
  readonly shared?: boolean;
};

const CROP_RATIO = 0.125;
const CUTOUT_RATIO = 0.5;
const SCALE_RATIO = 1.2;
const MAX_ANGLE = (15 * Math.PI) / 180;

const round = (ratio: number, size: number) => Math.floor(ratio * size + 0.5);

/**
 * Draws one augmentation for a batch of `height`×`width` images: a group uniformly from the strategy, then its parameters
 * (Zhao & Bilen 2021, with the constants of the released code).
 *
 * Equal keys give equal draws. An empty strategy gives `{ group: 'none' }`.
 */
export function drawAugmentationParameters(
  key: Key,
  { groups, alignCorners }: AugmentStrategy,
  batch: number,
  height: number,
  width: number,
  { shared = false }: AugmentationDrawOptions = {},
): AugmentationParameters {
  const group = groups.length === 0 ? undefined : groups[hostInteger(foldIn(key, 0), groups.length)];
  /** `columns` uniforms per image; shared draws are repeated, so that everything downstream is per image. */
  const uniforms = (stream: number, columns: number): Float32Array => {
    const drawn = hostUniform(foldIn(key, stream), (shared ? 1 : batch) * columns);
    return shared ? Float32Array.from({ length: batch * columns }, (_, i) => drawn[i % columns] as number) : drawn;
  };
  /** Pairs of integers, uniform on {low, …, low + count − 1} per column. */
  const integers = (low: readonly [number, number], count: readonly [number, number]): Int32Array =>
    Int32Array.from(uniforms(1, 2), (u, i) => (low[i % 2] as number) + Math.floor(u * (count[i % 2] as number)));

  switch (group) {
    case undefined:
      return { group: 'none' };
    case 'color':
      return { group, brightness: uniforms(1, 1), saturation: uniforms(2, 1), contrast: uniforms(3, 1) };
    case 'crop': {
      const [down, across] = [round(CROP_RATIO, height), round(CROP_RATIO, width)];
      return { group, shift: integers([-down, -across], [2 * down + 1, 2 * across + 1]) };
    }
    case 'cutout': {
      const size = [round(CUTOUT_RATIO, height), round(CUTOUT_RATIO, width)] as const;
      // An even square has its centre between pixels, hence one position more.
      return { group, size, centre: integers([0, 0], [height + 1 - (size[0] % 2), width + 1 - (size[1] % 2)]) };
    }
    case 'flip':
      return { group, flip: Int32Array.from(uniforms(1, 1), (u) => (u < 0.5 ? 1 : 0)) };
    case 'scale':
      return { group, scale: uniforms(1, 2).map((u) => u * (SCALE_RATIO - 1 / SCALE_RATIO) + 1 / SCALE_RATIO), alignCorners };
    case 'rotate':
      return { group, angle: uniforms(1, 1).map((u) => (2 * u - 1) * MAX_ANGLE), alignCorners };
  }
}
