import { join } from 'node:path';
import { CheckpointError, type ExpertSource, type Tree } from '@bpc/core';
import { type ExpertRecipe, expertFileName, readExpertFile, snapshotTree, type Trajectory } from './expert-file.js';

interface SourceOptions<P extends Tree> {
  readonly folder: string;
  readonly count: number;
  /** Epochs of training; there is one snapshot more. */
  readonly epochs: number;
  readonly recipe: ExpertRecipe;
  /** Parameters of the network; only their names and shapes are used. */
  readonly like: P;
  /** Trajectories kept in memory. */
  readonly cached?: number;
}

/** Experts from the files that `trainExperts` wrote. */
export function expertFiles<P extends Tree>({ folder, count, epochs, recipe, like, cached = 16 }: SourceOptions<P>): ExpertSource<P> {
  const cache = new Map<number, Trajectory>();
  const trajectory = async (expert: number): Promise<Trajectory> => {
    const kept = cache.get(expert);
    if (kept !== undefined) return kept;
    const path = join(folder, expertFileName(expert));
    const read = await readExpertFile(path, recipe, epochs);
    if (read === undefined) throw new CheckpointError(`expert file ${path} is missing`, 'train the experts again');
    // The one that has been here longest goes; experts are drawn uniformly, so no order is better.
    const oldest = cache.keys().next().value;
    if (cache.size >= cached && oldest !== undefined) cache.delete(oldest);
    cache.set(expert, read);
    return read;
  };
  return { count, epochs: epochs + 1, load: async (expert, epoch) => snapshotTree(await trajectory(expert), epoch, like) };
}
