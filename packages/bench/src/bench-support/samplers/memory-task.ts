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
  /** Transitions of the warm-up, before memory is first looked at, and after it. */
  readonly warmup: number;
  readonly steps: number;
}

/** Memory after the warm-up and after all steps. */
export interface SamplerMemory {
  readonly warm: MemoryRecord;
  readonly after: MemoryRecord;
}

/** The process that does a task; it can force collections. */
export const memoryCommand = (task: MemoryTask): SubjectCommand => ({
  command: process.execPath,
  args: ['--expose-gc', fileURLToPath(moduleUrl('../subjects/sampler-memory-subject.js', import.meta.url)), JSON.stringify(task)],
});
