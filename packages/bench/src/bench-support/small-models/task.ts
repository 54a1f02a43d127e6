import { fileURLToPath } from 'node:url';
import { jsRuntime } from '@bpc/compiler';
import { moduleUrl } from '../../workers/module-url.js';
import type { SubjectCommand } from '../subject-process.js';
import { type SmallModelName, smallModels } from './models.js';

/** Ours by printer, and JAX: all iterations in one compiled loop (`scan`), or one call each. */
export const smallModelSubjects = {
  js: { options: {} },
  'js:javascript': { options: { printer: 'javascript' } },
  'js:wasm': { options: { printer: 'wasm' } },
  'js:interpreter': { options: { printer: 'interpreter' } },
  'js:float32': { options: { precision: 'float32' } },
  'jax:scan': { loop: 'scan', precision: 'float64' },
  'jax:call': { loop: 'call', precision: 'float64' },
  'jax:scan-float32': { loop: 'scan', precision: 'float32' },
} as const;

export type SmallModelSubject = keyof typeof smallModelSubjects;

/** What a subject gets as its one argument. */
export interface SmallModelTask {
  readonly model: SmallModelName;
  readonly subject: SmallModelSubject;
  /** Value and gradient per timed block; each starts where the one before has moved the position. */
  readonly calls: number;
  readonly position: readonly number[];
  /** What the position must give: who computes something else is not timed. */
  readonly expected: { readonly value: number; readonly gradient: readonly number[]; readonly tolerance: number };
  /** Of peers: a JSON file with the model's data. */
  readonly dataFile: string;
  readonly loop?: 'scan' | 'call';
  readonly precision?: 'float64' | 'float32';
}

export const isFloat32 = (subject: SmallModelSubject): boolean => subject === 'js:float32' || subject === 'jax:scan-float32';

/** Calls from outside cost JAX many times what its loop costs, and the interpreter what generated code does. */
const fewer: Readonly<Partial<Record<SmallModelSubject, number>>> = { 'jax:call': 50, 'js:interpreter': 10 };

/** Blocks long enough for a clock, short enough for many. */
export const callsOf = (calls: number, subject: SmallModelSubject): number => Math.max(50, Math.round(calls / (fewer[subject] ?? 1)));

/** Value and gradient at the position where all subjects start. */
export async function expectedOf(name: SmallModelName): Promise<Pick<SmallModelTask, 'position' | 'expected'>> {
  const { like, data, logDensity } = smallModels[name]();
  const runtime = jsRuntime();
  const density = await runtime.density(logDensity, like, data);
  const position = Float64Array.from({ length: density.size }, (_, i) => 0.3 * Math.sin(i + 1));
  const gradient = new Float64Array(density.size);
  const value = Number(density.evaluate(position, gradient));
  await runtime.dispose();
  return { position: [...position], expected: { value, gradient: [...gradient], tolerance: 1e-9 } };
}

/** The largest error of a value and a gradient, relative to the largest number of each. */
export function errorOf({ expected }: SmallModelTask, value: number, gradient: ArrayLike<number>): number {
  const scale = Math.max(1, ...expected.gradient.map(Math.abs));
  const errors = expected.gradient.map((want, i) => Math.abs((gradient[i] ?? Number.NaN) - want) / scale);
  return Math.max(Math.abs(value - expected.value) / Math.max(1, Math.abs(expected.value)), ...errors);
}

/** The process that does a task. */
export function smallModelCommand(task: SmallModelTask, python: string): SubjectCommand {
  const argument = JSON.stringify(task);
  return task.loop === undefined
    ? {
        command: process.execPath,
        args: [fileURLToPath(moduleUrl('../subjects/small-model-subject.js', import.meta.url)), argument],
      }
    : { command: python, args: [fileURLToPath(new URL('../../../peers/jax_small_models.py', import.meta.url)), argument] };
}
