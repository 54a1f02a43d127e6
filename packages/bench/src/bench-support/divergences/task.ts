import { type BenchNetwork, type ParameterShapes, parameterShapes } from '../bench-network.js';
import type { SubjectCommand } from '../subject-process.js';
import { commandOf, type EvaluationFiles } from '../task.js';
import { type DivergenceSettings, type MethodName, methods } from './methods.js';

/** A whole outer step: what the process of one side is told. */
export interface DivergenceTask {
  readonly subject: string;
  readonly method: MethodName;
  readonly network: BenchNetwork;
  readonly parameters: ParameterShapes;
  /** Points of the coreset. */
  readonly batch: number;
  readonly threads: number;
  readonly settings: DivergenceSettings;
  /** Of what is learned: images, weights, and the step size of the inner steps. */
  readonly learningRates: { readonly x: number; readonly weights: number; readonly stepSize: number };
  readonly momentum: number;
  readonly experts: number;
  /** Groups of the augmentation, one of which is drawn per step; none for methods that do not augment. */
  readonly groups: readonly string[];
  /** Computes one estimate instead, on given noise. */
  readonly evaluate?: EvaluationFiles;
}

/** What tasks differ in. */
export type TaskChoice = Pick<DivergenceTask, 'subject' | 'method' | 'network' | 'batch' | 'threads' | 'settings' | 'groups'>;

/** A task with the learning rates of the bench, which no time depends on. */
export function divergenceTask(choice: TaskChoice): DivergenceTask {
  const { method, network, groups } = choice;
  return {
    ...choice,
    parameters: parameterShapes(network),
    // PSVI's sums over all data have gradients of another size.
    learningRates: { x: method === 'psvi' ? 1e-6 : 10, weights: 1e-9, stepSize: 1e-5 },
    momentum: 0.5,
    experts: 4,
    groups: methods[method].augmented ? groups : [],
  };
}

/** The process that does a task. */
export const divergenceCommand = (task: DivergenceTask, python: string): SubjectCommand =>
  commandOf(task, { torch: 'torch_divergences.py', ours: 'divergence-subject.js' }, python);
