import { ShapeError } from '@bpc/core';
import h5wasm, { Dataset as Hdf5Dataset, File as Hdf5File } from 'h5wasm';
import { heldPart, type OpenLayout, type Part, type Parts } from '../parts.js';

/**
 * USPS as one HDF5 file: `train/data` and `test/data`, float32 intensities in [0, 1], and `train/target`, `test/target`.
 *
 * Intensities are rounded to the nearest of 256 levels, `u = round(255 x)`, so that this set is stored like the others;
 * the file has 2 001 levels, the rounding moves a pixel by at most 0.2 % of full intensity.
 *
 * @throws ShapeError if the file is not HDF5, lacks one of the four arrays, or an array has another shape.
 */
export async function readUsps(layout: OpenLayout): Promise<Parts> {
  const bytes = await layout.read('table');
  const path = layout.path('table');
  const { FS, activate_throwing_error_handler: throwErrors } = await h5wasm.ready;
  if (FS === null) throw new ShapeError(`${path} cannot be opened: HDF5 has no file system`, 'report this');
  // Without it, HDF5 prints its errors and goes on.
  throwErrors();
  // The library reads from its own file system in memory; no file of this name is made on disk.
  const inside = `usps-${process.pid}.h5`;
  FS.writeFile(inside, bytes);
  try {
    const file = openHdf5(inside, path);
    try {
      return { train: part(file, 'train', layout), test: part(file, 'test', layout) };
    } finally {
      file.close();
    }
  } finally {
    FS.unlink(inside);
  }
}

function openHdf5(inside: string, path: string): Hdf5File {
  try {
    return new Hdf5File(inside, 'r');
  } catch (cause) {
    throw new ShapeError(`${path} is not a complete HDF5 file`, 'use the original file', { cause });
  }
}

function part(file: Hdf5File, group: 'train' | 'test', layout: OpenLayout): Part {
  const size = layout.shape[0] * layout.shape[1] * layout.shape[2];
  const targets = numbers(file, `${group}/target`, layout);
  const data = numbers(file, `${group}/data`, layout);
  if (data.length !== targets.length * size) {
    throw new ShapeError(
      `${group}/data of ${layout.path('table')} has ${data.length} values for ${targets.length} labels, expected ${size} each`,
      'use the original file',
    );
  }
  return heldPart(
    Uint8Array.from(data, (value) => Math.round(255 * value)),
    Int32Array.from(targets),
  );
}

function numbers(file: Hdf5File, name: string, layout: OpenLayout): Float32Array | Float64Array | Int32Array {
  const found = file.get(name);
  const value = found instanceof Hdf5Dataset ? found.value : undefined;
  if (value instanceof Float32Array || value instanceof Float64Array || value instanceof Int32Array) return value;
  throw new ShapeError(`${layout.path('table')} has no array ${name} of 32-bit numbers`, 'use the original file');
}
