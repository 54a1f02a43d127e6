import { ConfigError, ShapeError } from '@bpc/core';
import { parse } from 'npyjs';
import { throwIfAborted } from './download.js';
import { readVerified } from './locate.js';
import { type Manifest, shippedManifest } from './manifest.js';
import { findOrFetch, listedFile, type SearchOptions } from './open-files.js';

/** What people answered about the test images of a data set. */
export interface SoftLabels {
  readonly name: string;
  /** The data set whose test split the rows belong to, in its order. */
  readonly dataset: string;
  readonly count: number;
  readonly classes: number;
  /** Answers per image and class, `[count, classes]`, row-major. */
  readonly counts: Float64Array;
  /** The same as shares of the image's answers; every row adds up to 1. */
  readonly probabilities: Float64Array;
}

/**
 * Soft labels of test images: `cifar10h`, about 51 human answers for each test image of CIFAR-10.
 *
 * For scores only: there are none for training images. Source: J. Peterson et al., "Human uncertainty makes classification
 * more robust" (ICCV 2019).
 *
 * @throws ConfigError for an unknown name; StorageError if the files are not on this machine; ChecksumError if they differ;
 * ShapeError if they are no `.npy` arrays of the right shape.
 *
 * @example
 * ```ts
 * import { getSoftLabels } from '@bpc/bench';
 * // The files come from a folder of one's own (BPC_DATA); row i belongs to test image i of CIFAR-10.
 * const labels = await getSoftLabels('cifar10h').catch(() => undefined);
 * console.log(labels?.probabilities.subarray(0, 10));
 * ```
 */
export async function getSoftLabels(name: string, options: SearchOptions & { readonly manifest?: Manifest } = {}): Promise<SoftLabels> {
  const { softLabels } = options.manifest ?? shippedManifest();
  const entry = Object.hasOwn(softLabels, name) ? softLabels[name] : undefined;
  if (entry === undefined) {
    throw new ConfigError(`soft labels '${name}' are unknown, expected one of: ${Object.keys(softLabels).join(', ')}`, 'pass a known name');
  }
  throwIfAborted(options.signal, name);
  const { layout, paths, place } = await findOrFetch(name, entry.layouts, options);
  const { dataset, count, classes } = entry;
  const read = async (role: string): Promise<Float64Array> => {
    const path = paths.get(role) ?? role;
    return parseNumbers(await readVerified(path, listedFile(layout, role, name), place), path, [count, classes]);
  };
  return { name, dataset, count, classes, counts: await read('counts'), probabilities: await read('probabilities') };
}

function parseNumbers(bytes: Uint8Array, path: string, shape: readonly number[]): Float64Array {
  const remedy = 'use the original file';
  let array: ReturnType<typeof parse>;
  try {
    // The library reads a whole ArrayBuffer; a file's bytes may be a view on a larger one.
    array = parse(Uint8Array.from(bytes).buffer);
  } catch (cause) {
    throw new ShapeError(`${path} is not a readable .npy file`, remedy, { cause });
  }
  const { data } = array;
  const numbers = data instanceof Float64Array ? data : data instanceof BigInt64Array ? Float64Array.from(data, Number) : undefined;
  if (numbers !== undefined && !array.fortranOrder && array.shape.join() === shape.join()) return numbers;
  throw new ShapeError(
    `${path} has ${array.dtype} values of shape [${array.shape.join(', ')}], expected f8 or i8 of shape [${shape.join(', ')}], rows first`,
    remedy,
  );
}
