import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';
import { CheckpointError } from './errors.js';
import type { SafetensorsEntry, SafetensorsFile } from './safetensors.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';
import type { Tree } from './tree.js';
import { treeEntries, treeUnflatten } from './tree.js';

/** Values that survive JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
/** The record stored beside the tensors: versions, config, key, step, normalisation, class names, provenance. */
export type Metadata = { readonly [name: string]: Json };

const FIELD = 'bpc';
const FORMAT_FIELD = 'format';
const FORMAT = 'bpc-1';

/** JSON with object names sorted, so that equal records are equal text. Numbers that JSON lacks (NaN, ∞) are refused. */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new CheckpointError(`a metadata number is ${value}, which JSON cannot hold`, 'store finite numbers or text');
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join()}]`;
  const record = value as Metadata;
  const names = Object.keys(record)
    .filter((name) => record[name] !== undefined)
    .sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(record[name] as Json)}`).join()}}`;
}

async function entryOf(path: string, x: Tensor): Promise<SafetensorsEntry> {
  const data = await x.data();
  if (data instanceof Float32Array) return { dtype: 'F32', shape: x.shape, data };
  if (data instanceof Int32Array) return { dtype: 'I32', shape: x.shape, data };
  if (data instanceof Uint8Array) return { dtype: 'U8', shape: x.shape, data };
  throw new CheckpointError(`'${path}' has dtype ${x.dtype}, expected float32, int32 or bool`, 'convert it before saving');
}

/**
 * Bytes of a safetensors file with the leaves of a tree, named by their paths, and a JSON record. Equal contents give
 * equal bytes. The tensors are read before the promise resolves and may be disposed afterwards.
 *
 * @throws CheckpointError if a leaf is no numeric tensor or the record has numbers that JSON cannot hold.
 * @example
 * ```ts
 * import { tensor1d } from '@tensorflow/tfjs-core';
 * import { loadTree, saveTree } from '@bpc/core';
 * const params = { w: tensor1d([1, 2]) };
 * const bytes = await saveTree(params, { step: 10 });
 * const { tree, metadata } = loadTree(bytes, params);
 * ```
 */
export async function saveTree(tree: Tree, metadata: Metadata = {}): Promise<Uint8Array> {
  const record = canonicalJson(metadata);
  const entries = await Promise.all(treeEntries(tree).map(async ([path, leaf]) => [path, await entryOf(path, leaf)] as const));
  return encodeSafetensors(Object.fromEntries(entries), { [FORMAT_FIELD]: FORMAT, [FIELD]: record });
}

function recordOf({ metadata }: SafetensorsFile): Metadata {
  const text = metadata[FIELD];
  // Files of other programs have no record, which is fine: their tensors are checked all the same.
  if (text === undefined) return {};
  if (metadata[FORMAT_FIELD] !== FORMAT) {
    throw new CheckpointError(
      `file format is '${metadata[FORMAT_FIELD] ?? ''}', expected '${FORMAT}'`,
      'read it with the version of @bpc/core that wrote it',
    );
  }
  try {
    const record: unknown = JSON.parse(text);
    if (typeof record === 'object' && record !== null && !Array.isArray(record)) return record as Metadata;
  } catch (cause) {
    throw new CheckpointError('the metadata record is no JSON', 'use an undamaged file', { cause });
  }
  throw new CheckpointError('the metadata record is no JSON object', 'use an undamaged file');
}

/** The JSON record of a file, without making tensors. @throws CheckpointError if the bytes are no valid file. */
export function readMetadata(bytes: Uint8Array): Metadata {
  return recordOf(decodeSafetensors(bytes));
}

const DTYPES = { float32: 'F32', int32: 'I32', bool: 'U8' } as const;

/**
 * The tree saved in `bytes`, with the structure of `like`, and its record. Fresh tensors, owned by the caller.
 *
 * @throws CheckpointError if the bytes are no valid file, or a path, shape or dtype differs from `like`'s.
 */
export function loadTree<T extends Tree>(bytes: Uint8Array, like: T): { readonly tree: T; readonly metadata: Metadata } {
  const file = decodeSafetensors(bytes);
  const metadata = recordOf(file);
  const remedy = 'load it with the configuration it was saved with';
  const wanted = treeEntries(like);
  const paths = new Set(wanted.map(([path]) => path));
  for (const name of file.tensors.keys()) {
    if (!paths.has(name)) throw new CheckpointError(`the file has an unexpected tensor '${name}'`, remedy);
  }
  const checked = wanted.map(([path, leaf]): SafetensorsEntry => {
    const entry = file.tensors.get(path);
    const dtype = DTYPES[leaf.dtype as keyof typeof DTYPES] ?? leaf.dtype;
    const expected = `${dtype}[${leaf.shape}]`;
    if (entry === undefined) throw new CheckpointError(`the file has no tensor '${path}', expected ${expected}`, remedy);
    const found = `${entry.dtype}[${entry.shape}]`;
    if (found !== expected) throw new CheckpointError(`tensor '${path}' is ${found}, expected ${expected}`, remedy);
    return entry;
  });
  // Made only after everything is checked, so that a refused file leaks no tensors.
  const leaves = checked.map(({ data, shape }, i) => {
    const values = data instanceof Float64Array ? Float32Array.from(data) : data;
    return tensor(values, [...shape], (wanted[i] as (typeof wanted)[number])[1].dtype);
  });
  return { tree: treeUnflatten(like, leaves), metadata };
}
