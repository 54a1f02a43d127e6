import { fileURLToPath } from 'node:url';
import { moduleUrl } from '../../workers/module-url.js';
import type { SmallModelTask } from '../small-models/task.js';
import type { SubjectCommand } from '../subject-process.js';

/** Ours and JAX, in blocks of steps that are one compiled loop (`scan`) or by one call per step. */
export const stepsSubjects = {
  js: { loop: 'scan', precision: 'float64' },
  'js:float32': { loop: 'scan', precision: 'float32' },
  'js:call': { loop: 'call', precision: 'float64' },
  'jax:scan': { loop: 'scan', precision: 'float64' },
  'jax:scan-float32': { loop: 'scan', precision: 'float32' },
  'jax:call': { loop: 'call', precision: 'float64' },
} as const;
export type StepsSubject = keyof typeof stepsSubjects;

/** Unadjusted Langevin, and Hamiltonian Monte Carlo with a fixed number of leapfrogs. */
export const stepsKernels = ['ula', 'hmc'] as const;
export type StepsKernel = (typeof stepsKernels)[number];

/** What a subject that makes steps gets as its one argument. */
export interface StepsTask extends Pick<SmallModelTask, 'model' | 'dataFile'> {
  readonly kernel: StepsKernel;
  readonly subject: StepsSubject;
  readonly loop: 'scan' | 'call';
  readonly precision: 'float64' | 'float32';
  /** Where the chain starts: at the mode, or near it. */
  readonly position: readonly number[];
  readonly stepSize: number;
  readonly leapfrogSteps: number;
  /** Steps per compiled loop, and per timed block. */
  readonly block: number;
  readonly seed: number;
}

/** A task that is done once: its positions, float64 `[blocks · block, size]`, go to a file. */
export interface StepsEvaluation extends StepsTask {
  readonly blocks: number;
  readonly out: string;
}

/** The process that does a task. */
export function stepsCommand(task: StepsTask | StepsEvaluation, python: string): SubjectCommand {
  const argument = JSON.stringify(task);
  return task.subject.startsWith('js')
    ? {
        command: process.execPath,
        args: [fileURLToPath(moduleUrl('../subjects/sampler-steps-subject.js', import.meta.url)), argument],
      }
    : { command: python, args: [fileURLToPath(new URL('../../../peers/jax_steps.py', import.meta.url)), argument] };
}
