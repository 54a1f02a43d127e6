import { namesOf, parseOptions, positiveInteger, usageOf } from '../option-values.js';

/** What `bpc bench cd-step` can time. */
export const caseNames = ['gradients', 'chains', 'outer-step', 'shapes', 'accuracy'] as const;
export type CaseName = (typeof caseNames)[number];

/** Networks of the case `shapes`. */
export const shapeNames = ['convnet-28', 'convnet-64', 'resnet18', 'vgg11'] as const;
export type ShapeName = (typeof shapeNames)[number];

/** Our runtime with its `precise` option. */
export const preciseSubject = 'onnx:cpu-precise';

/** Ours first: the one that peers are compared with. */
export const subjectNames = ['onnx:cpu', preciseSubject, 'js', 'tfjs:wasm', 'tfjs:cpu', 'torch-eager', 'torch-compile', 'jax'] as const;
export type SubjectName = (typeof subjectNames)[number];

/** The channels that the goals are about. */
export const goalWidth = 128;

/** What the user asked for. */
export interface CdStepOptions {
  readonly cases: readonly CaseName[];
  readonly shapes: readonly ShapeName[];
  readonly subjects: readonly SubjectName[];
  /** Images per gradient. */
  readonly batches: readonly number[];
  /** Images per class of the outer step. */
  readonly ipc: readonly number[];
  /** k of the outer step. */
  readonly steps: number;
  readonly threads: readonly number[];
  readonly width: number;
  readonly rounds: number;
  readonly secondsPerRound: number;
  readonly python: string;
  /** Also times what takes minutes a step. */
  readonly slow: boolean;
}

const all = {
  cases: caseNames.join(','),
  shapes: shapeNames.join(','),
  batches: '10,100',
  ipc: '10',
  steps: '10',
  threads: '1,2',
  width: String(goalWidth),
  rounds: '7',
};
const quick = { batches: '10', threads: '2', rounds: '3' };
const subjects = 'onnx:cpu,tfjs:wasm,torch-eager,torch-compile,jax';

const counts = (name: string, text: string): number[] => [...new Set(text.split(',').map((item) => positiveInteger(name, item)))];

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    cases: text,
    shapes: text,
    subjects: text,
    batches: text,
    ipc: text,
    steps: text,
    threads: text,
    width: text,
    rounds: text,
    python: text,
    slow: flag,
    quick: flag,
  } as const;
  return parseOptions({ args: [...args], options }, `${usageOf({ ...all, subjects })} --python PATH --slow --quick`);
}

/**
 * Reads the words after `bpc bench cd-step`.
 *
 * @throws ConfigError naming the option, the value and the remedy.
 */
export function cdStepOptions(args: readonly string[]): CdStepOptions {
  const given = parse(args);
  const values = { ...all, ...(given.quick ? quick : {}), ...given };
  return {
    cases: namesOf('cases', values.cases, caseNames),
    shapes: namesOf('shapes', values.shapes, shapeNames),
    subjects: namesOf('subjects', values.subjects ?? (values.slow ? `${subjects},tfjs:cpu` : subjects), subjectNames),
    batches: counts('batches', values.batches),
    ipc: counts('ipc', values.ipc),
    steps: positiveInteger('steps', values.steps),
    threads: counts('threads', values.threads).sort((a, b) => a - b),
    width: positiveInteger('width', values.width),
    rounds: positiveInteger('rounds', values.rounds),
    secondsPerRound: values.quick ? 0.4 : 1,
    python: values.python ?? process.env['BPC_PYTHON'] ?? 'python3',
    slow: values.slow,
  };
}
