import { fileURLToPath } from 'node:url';
import { moduleUrl } from '../../workers/module-url.js';
import type { SmallModelName } from '../small-models/models.js';
import type { SubjectCommand } from '../subject-process.js';
import type { NutsSubject } from './options.js';

/** What a subject that runs NUTS gets as its one argument. */
export interface NutsTask {
  readonly model: SmallModelName;
  readonly subject: NutsSubject;
  readonly chains: number;
  /** Warm-up by Stan's windows, for a diagonal metric. */
  readonly warmup: number;
  /** Kept per chain. */
  readonly draws: number;
  readonly targetAcceptance: number;
  readonly maxDepth: number;
  /** Of ours: worker threads, or 0 to run all chains on the thread that asks. */
  readonly workers: number;
  /** Number of unconstrained parameters. */
  readonly size: number;
  /** Of peers: a JSON file with the model's data. */
  readonly dataFile: string;
}

/** One run, whose draws go to a file: float64, `[chains, draws, size]`. */
export interface NutsRequest {
  readonly seed: number;
  readonly out: string;
}

/** How long a value and gradient takes along the draws of a run; of ours only. */
export interface BareRequest {
  readonly seed: number;
  readonly calls: number;
}

/** What a run took. */
export interface NutsRun {
  /** Tracing and compiling; 0 where an earlier run has done it. */
  readonly compileMs: number;
  /** Everything else: warm-up and draws of all chains. */
  readonly samplingMs: number;
  /** Processor time of the sampling, threads added up. */
  readonly cpuMs: number;
  /** Gradients, warm-up included. */
  readonly leapfrogs: number;
  /** Divergent transitions among the kept draws. */
  readonly divergent: number;
  readonly peakRssMb: number;
}

/** The process that does a task. */
export function nutsCommand(task: NutsTask, python: string): SubjectCommand {
  const argument = JSON.stringify(task);
  return task.subject === 'js'
    ? {
        command: process.execPath,
        args: [fileURLToPath(moduleUrl('../subjects/sampler-nuts-subject.js', import.meta.url)), argument],
      }
    : { command: python, args: [fileURLToPath(new URL('../../../peers/jax_nuts.py', import.meta.url)), argument] };
}
