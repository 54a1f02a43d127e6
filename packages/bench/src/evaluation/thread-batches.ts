import type { SplitRole } from '../data/dataset.js';
import type { NetworkSpec } from '../experts/network.js';
import { imagesPerRun } from '../experts/working-set.js';
import type { TaskTools } from '../workers/protocol.js';
import type { SharedData } from '../workers/shared-data.js';
import { type SplitBatches, splitBatches } from './split-batches.js';

/**
 * The images of a split for this thread's tasks.
 *
 * Only the last split asked for is kept: a run scores its rows on one split and its curves on another, and two at a time
 * would double the memory.
 */
export async function threadBatches(tools: TaskTools<SharedData>, role: SplitRole, spec: NetworkSpec): Promise<SplitBatches> {
  const { dataset } = tools.shared;
  const kept = await tools.resource(
    'converted images',
    async (): Promise<{ role?: SplitRole; batches?: SplitBatches }> => ({}),
    async (holder) => {
      delete holder.batches;
    },
  );
  const split = dataset[role];
  const batch = Math.min(imagesPerRun(spec), split.count);
  if (kept.batches === undefined || kept.role !== role || kept.batches.batch !== batch) {
    kept.role = role;
    kept.batches = splitBatches({ split, normalisation: dataset.normalisation, batch });
  }
  return kept.batches;
}
