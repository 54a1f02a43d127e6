import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  CheckpointError,
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsEntry,
  type Tree,
  treeEntries,
  treeUnflatten,
} from '@bpc/core';
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import { writeAtomically } from '../data/atomic-file.js';

/** Everything that decides an expert's weights, as text; a file with another recipe is another expert. */
export type ExpertRecipe = Readonly<Record<string, unknown>>;

/** Snapshots of one expert on the host: index 0 is the initialisation, index e is after epoch e. */
export interface Trajectory {
  readonly epochs: number;
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
}

const kind = 'bpc-expert';

/** `expert-003.safetensors`. */
export const expertFileName = (expert: number): string => `expert-${String(expert).padStart(3, '0')}.safetensors`;

const entryName = (epoch: number, path: string): string => `epoch${epoch}/${path}`;

/** Copies a snapshot to the host. */
export async function snapshotEntries(epoch: number, params: Tree): Promise<[string, SafetensorsEntry][]> {
  return Promise.all(
    treeEntries(params).map(async ([path, leaf]): Promise<[string, SafetensorsEntry]> => {
      const data = Float32Array.from(await leaf.data());
      return [entryName(epoch, path), { dtype: 'F32', shape: leaf.shape, data }];
    }),
  );
}

/** Names and values of all tensors in one hash: a file that was damaged in its values would otherwise train on. */
function contentHash(entries: Iterable<readonly [string, SafetensorsEntry]>): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}

/** Writes a whole trajectory, or nothing. @throws StorageError */
export async function writeExpertFile(
  path: string,
  entries: readonly (readonly [string, SafetensorsEntry])[],
  recipe: ExpertRecipe,
): Promise<void> {
  const bytes = encodeSafetensors(Object.fromEntries(entries), {
    kind,
    recipe: JSON.stringify(recipe),
    sha256: contentHash(entries),
  });
  await writeAtomically(path, (handle) => handle.writeFile(bytes));
}

/**
 * Reads a trajectory.
 *
 * @returns undefined if there is no such file.
 * @throws CheckpointError if the file is damaged, no expert, lacks a snapshot, or was made by another recipe (then its
 * `cause` is `'recipe'`).
 */
export async function readExpertFile(path: string, recipe: ExpertRecipe, epochs: number): Promise<Trajectory | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch {
    return undefined;
  }
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata['kind'] !== kind) throw new CheckpointError(`${path} is no expert file`, 'delete it, or name another folder');
  if (metadata['recipe'] !== JSON.stringify(recipe)) {
    throw new CheckpointError(
      `${path} was trained with other settings`,
      'repeat the settings it was trained with, or name another folder',
      { cause: 'recipe' },
    );
  }
  if (metadata['sha256'] !== contentHash(tensors))
    throw new CheckpointError(`${path} has values that are not those that were written`, 'delete it, so that it is trained again');
  for (let epoch = 0; epoch <= epochs; epoch++) {
    if (![...tensors.keys()].some((name) => name.startsWith(`epoch${epoch}/`))) {
      throw new CheckpointError(`${path} has no snapshot of epoch ${epoch}`, 'delete it, so that it is trained again');
    }
  }
  return { epochs, tensors };
}

/** A snapshot as tensors shaped like `like`; the caller owns them. */
export function snapshotTree<P extends Tree>(trajectory: Trajectory, epoch: number, like: P): P {
  const leaves = treeEntries(like).map(([path, leaf]): Tensor => {
    const entry = trajectory.tensors.get(entryName(epoch, path));
    if (entry === undefined || entry.dtype !== 'F32' || entry.shape.join() !== leaf.shape.join()) {
      throw new CheckpointError(
        `the snapshot of epoch ${epoch} has no float32 tensor '${path}' of shape [${leaf.shape}]`,
        'delete the expert files, so that they are trained again',
      );
    }
    return tensor(entry.data, [...entry.shape], 'float32');
  });
  return treeUnflatten(like, leaves);
}
