import type { Dataset } from '../data/dataset.js';
import type { RuntimeName } from '../runtime-choice/index.js';

/** What every task of a run may read. Images and labels stand on shared memory. */
export interface SharedData {
  readonly dataset: Dataset;
  readonly runtime: RuntimeName;
  readonly threads: number;
}
