import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ChecksumError, decodeSafetensors, encodeSafetensors } from '@bpc/core';
import { writeAtomically } from '../atomic-file.js';
import type { Zca } from './zca.js';

/** Increased whenever the same images and settings give another transform. */
const VERSION = '1';

/**
 * Write a fitted transform, atomically.
 *
 * A safetensors file with `mean`, `whitening`, `inverse` and `eigenvalues` (float64) and the settings as metadata.
 *
 * @param source - what it was fitted on and how, as `zcaSource` says it.
 * @throws StorageError if it cannot be written.
 */
export async function writeZca(path: string, zca: Zca, source: string): Promise<void> {
  const { size, count, regularisation, divisor, mean, whitening, inverse, eigenvalues } = zca;
  const bytes = encodeSafetensors(
    {
      mean: { dtype: 'F64', shape: [size], data: mean },
      whitening: { dtype: 'F64', shape: [size, size], data: whitening },
      inverse: { dtype: 'F64', shape: [size, size], data: inverse },
      eigenvalues: { dtype: 'F64', shape: [size], data: eigenvalues },
    },
    { source, count: String(count), regularisation: String(regularisation), divisor, sha256: digest([mean, whitening, inverse]) },
  );
  await writeAtomically(path, (handle) => handle.writeFile(bytes));
}

/**
 * Read a transform that `writeZca` wrote; undefined if there is none.
 *
 * @throws ChecksumError if it was fitted on something else or is damaged; CheckpointError if it is no such file.
 */
export async function readZca(path: string, source: string): Promise<Zca | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const { tensors, metadata } = decodeSafetensors(bytes);
  const values = (name: string): Float64Array => {
    const found = tensors.get(name);
    if (found?.dtype === 'F64') return found.data;
    throw new ChecksumError(`${path} has no float64 tensor '${name}'`, `delete ${path} and run the command again`);
  };
  const [mean, whitening, inverse, eigenvalues] = [values('mean'), values('whitening'), values('inverse'), values('eigenvalues')];
  if (metadata['source'] !== source || metadata['sha256'] !== digest([mean, whitening, inverse])) {
    throw new ChecksumError(`${path} is damaged or belongs to other images or settings`, `delete ${path} and run the command again`);
  }
  return {
    size: mean.length,
    count: Number(metadata['count']),
    regularisation: Number(metadata['regularisation']),
    divisor: metadata['divisor'] === 'count' ? 'count' : 'count-1',
    mean,
    whitening,
    inverse,
    eigenvalues,
  };
}

/** A name for everything a transform depends on: the images, how they are normalised, the settings. */
export function zcaSource(images: Uint8Array, settings: Readonly<Record<string, unknown>>): string {
  const hash = createHash('sha256').update(images);
  return hash.update(JSON.stringify({ version: VERSION, ...settings })).digest('hex');
}

function digest(arrays: readonly Float64Array[]): string {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of arrays) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex');
}
