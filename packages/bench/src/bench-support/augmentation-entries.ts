import {
  type AugmentationParameters,
  drawAugmentationParameters,
  foldIn,
  type Key,
  parseAugmentation,
  type SafetensorsEntry,
} from '@bpc/core';

type Entries = Readonly<Record<string, SafetensorsEntry>>;

/** A float32 tensor of a file. */
export const f32 = (data: Float32Array, shape: readonly number[]): SafetensorsEntry => ({ dtype: 'F32', shape, data });
/** An int32 vector of a file. */
export const i32 = (data: Int32Array): SafetensorsEntry => ({ dtype: 'I32', shape: [data.length], data });

/** Parameters of every augmentation, one draw each, as `augment/<group>/<parameter>`, for whatever language reads them. */
export function augmentationEntries(key: Key, groups: readonly string[], batch: number, height: number, width: number): Entries {
  const entries = groups.flatMap((name, i) => {
    const { group, ...parameters } = drawAugmentationParameters(foldIn(key, i), parseAugmentation(name), batch, height, width);
    return Object.entries(parameters).flatMap(([parameter, value]): [string, SafetensorsEntry][] => {
      const path = `augment/${group}/${parameter}`;
      const shape = value instanceof Float32Array || value instanceof Int32Array ? rowsOf(value, batch) : [];
      if (value instanceof Float32Array) return [[path, f32(value, shape)]];
      if (value instanceof Int32Array) return [[path, { dtype: 'I32', shape, data: value }]];
      return [];
    });
  });
  return Object.fromEntries(entries);
}

const rowsOf = ({ length }: ArrayLike<number>, batch: number) => (length === batch ? [batch] : [batch, length / batch]);

/** The parameters of one augmentation from the tensors of a file, by what `augmentationEntries` named them. */
export function givenAugmentation(
  read: (name: string) => ArrayLike<number>,
  group: string,
  height: number,
  width: number,
): AugmentationParameters {
  const floats = (name: string) => Float32Array.from(read(`augment/${group}/${name}`));
  const integers = (name: string) => Int32Array.from(read(`augment/${group}/${name}`));
  switch (group) {
    case 'none':
      return { group };
    case 'color':
      return { group, brightness: floats('brightness'), saturation: floats('saturation'), contrast: floats('contrast') };
    case 'crop':
      return { group, shift: integers('shift') };
    case 'cutout':
      return { group, centre: integers('centre'), size: [Math.floor(height / 2 + 0.5), Math.floor(width / 2 + 0.5)] };
    case 'flip':
      return { group, flip: integers('flip') };
    case 'scale':
      return { group, scale: floats('scale'), alignCorners: true };
    case 'rotate':
      return { group, angle: floats('angle'), alignCorners: true };
    default:
      throw new Error(`unknown group '${group}'`);
  }
}
