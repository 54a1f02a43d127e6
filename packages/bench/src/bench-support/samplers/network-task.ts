import { fileURLToPath } from 'node:url';
import { moduleUrl } from '../../workers/module-url.js';
import type { BenchNetwork } from '../bench-network.js';
import type { SubjectCommand } from '../subject-process.js';

/** A bare gradient, or one step of a sampler that takes one. */
export const networkWork = ['gradient', 'sgld', 'sghmc'] as const;
export type NetworkWork = (typeof networkWork)[number];

/** What a subject that samples a network gets as its one argument. */
export interface NetworkTask {
  readonly work: NetworkWork;
  readonly network: BenchNetwork;
  /** Images: the whole coreset. */
  readonly batch: number;
  readonly threads: number;
}

/** The process that does a task. */
export const networkCommand = (task: NetworkTask): SubjectCommand => ({
  command: process.execPath,
  args: [fileURLToPath(moduleUrl('../subjects/sampler-network-subject.js', import.meta.url)), JSON.stringify(task)],
});
