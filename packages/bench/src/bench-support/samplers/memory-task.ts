import { fileURLToPath } from 'node:url';
import { moduleUrl } from '../../workers/module-url.js';
import type { MemoryRecord } from '../runtime/task.js';
import type { SubjectCommand } from '../subject-process.js';

/** A sampler on the runtime that suits it: NUTS and blocks of HMC on eight schools, SGLD on a small network. */
export const memorySubjects = ['js nuts', 'js hmc', 'onnx:cpu sgld'] as const;
export type MemorySubject = (typeof memorySubjects)[number];

/** What a subject whose memory is watched gets as its one argument. */
export interface MemoryTask {
  readonly subject: MemorySubject;
  /** Draws between the middle of the looks that count as warm and the middle of those after them. */
  readonly steps: number;
}

/** Memory over the first `steps` draws after the warm-up, and over the next. */
export interface SamplerMemory {
  readonly warm: MemoryRecord;
  readonly after: MemoryRecord;
}

/**
 * The process that does a task; it can force collections. Its young generation is small: V8 lets it grow to 48 MB when it likes,
 * which hides what is looked for.
 */
export const memoryCommand = (task: MemoryTask): SubjectCommand => ({
  command: process.execPath,
  args: [
    '--expose-gc',
    '--max-semi-space-size=2',
    fileURLToPath(moduleUrl('../subjects/sampler-memory-subject.js', import.meta.url)),
    JSON.stringify(task),
  ],
});
