import { fileURLToPath } from 'node:url';
import { moduleUrl } from '../workers/module-url.js';
import type { BenchNetwork, ParameterShapes } from './bench-network.js';
import type { SubjectCommand } from './subject-process.js';

/** Where a subject that only computes once reads and writes, in safetensors. */
export interface EvaluationFiles {
  readonly inputs: string;
  readonly outputs: string;
}

interface CommonTask {
  /** Runtime of ours, or name of a peer. */
  readonly subject: string;
  readonly network: BenchNetwork;
  readonly parameters: ParameterShapes;
  readonly batch: number;
  readonly threads: number;
  /** λ and T of Langevin steps. */
  readonly stepSize: number;
  readonly temperature: number;
  readonly evaluate?: EvaluationFiles;
}

/** Loss and all parameter gradients, alone or as one Langevin step. */
export interface GradientTask extends CommonTask {
  readonly step: 'gradient' | 'langevin';
}

/** A whole outer step of contrastive divergence. */
export interface CdStepTask extends CommonTask {
  /** k */
  readonly steps: number;
  readonly sigma: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly experts: number;
  /** Groups of the augmentation, one of which is drawn per step. */
  readonly groups: readonly string[];
}

const isPeer = (subject: string) => subject.startsWith('torch-') || subject === 'jax';

/** The process that does a task: a peer's script, or one of ours. Scripts get the task as one JSON argument. */
export function commandOf<T extends { readonly subject: string }>(
  task: T,
  scripts: { readonly torch: string; readonly ours: string },
  python: string,
): SubjectCommand {
  const argument = JSON.stringify(task);
  if (!isPeer(task.subject)) {
    return { command: process.execPath, args: [fileURLToPath(moduleUrl(`./subjects/${scripts.ours}`, import.meta.url)), argument] };
  }
  const script = task.subject === 'jax' ? 'jax_convnet.py' : scripts.torch;
  return { command: python, args: [fileURLToPath(new URL(`../../peers/${script}`, import.meta.url)), argument] };
}
