import { fileURLToPath } from 'node:url';
import { moduleUrl } from '../../workers/module-url.js';
import type { SubjectCommand } from '../subject-process.js';
import type { RuntimeSubject } from './options.js';

/** Programs whose compile time counts. */
export const compiledPrograms = ['convnet-step', 'convnet-scan', 'small-scan'] as const;
export type CompiledProgram = (typeof compiledPrograms)[number];

/** What one process does. */
export type RuntimeTask =
  | { readonly task: 'leaks'; readonly subject: RuntimeSubject; readonly warmUp: number; readonly calls: number; readonly cycles: number }
  | { readonly task: 'compile'; readonly subject: RuntimeSubject; readonly program: CompiledProgram }
  | { readonly task: 'calls'; readonly subject: RuntimeSubject };

/** Memory after a forced collection, and what is alive. */
export interface MemoryRecord {
  readonly rssMb: number;
  readonly heapMb: number;
  readonly tensors: number;
  /** Of ONNX Runtime; 0 on js. */
  readonly sessions: number;
}

/** What the process that looks for leaks answers. */
export interface LeakRecord {
  readonly warm: MemoryRecord;
  readonly afterCalls: MemoryRecord;
  readonly afterCycles: MemoryRecord;
  readonly msPerCycle: number;
}

/** The process that does a task; it can force collections. */
export function runtimeCommand(task: RuntimeTask): SubjectCommand {
  const script = fileURLToPath(moduleUrl(`../subjects/runtime-${task.task}-subject.js`, import.meta.url));
  return { command: process.execPath, args: ['--expose-gc', script, JSON.stringify(task)] };
}
