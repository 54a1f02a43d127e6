import { namesOf, parseOptions, positiveInteger, usageOf } from '../option-values.js';

/** What `bpc bench runtime` looks at. */
export const runtimeCaseNames = ['leaks', 'compile', 'calls'] as const;
export type RuntimeCaseName = (typeof runtimeCaseNames)[number];

/** The compiled runtimes. */
export const runtimeSubjects = ['js', 'onnx:cpu'] as const;
export type RuntimeSubject = (typeof runtimeSubjects)[number];

/** What the user asked for. */
export interface RuntimeBenchOptions {
  readonly cases: readonly RuntimeCaseName[];
  readonly subjects: readonly RuntimeSubject[];
  /** Calls before memory is first looked at; every fortieth is of a program compiled for it. */
  readonly warmUp: number;
  readonly calls: number;
  /** Programs compiled, called once and disposed. */
  readonly cycles: number;
  /** Fresh processes per compile time. */
  readonly rounds: number;
}

const defaults = {
  cases: runtimeCaseNames.join(','),
  subjects: runtimeSubjects.join(','),
  'warm-up': '10000',
  calls: '100000',
  cycles: '1000',
  rounds: '5',
};

function parse(args: readonly string[]) {
  const option = (value: string) => ({ type: 'string' as const, default: value });
  const options = {
    cases: option(defaults.cases),
    subjects: option(defaults.subjects),
    'warm-up': option(defaults['warm-up']),
    calls: option(defaults.calls),
    cycles: option(defaults.cycles),
    rounds: option(defaults.rounds),
  };
  return parseOptions({ args: [...args], options }, usageOf(defaults));
}

/**
 * Reads the words after `bpc bench runtime`.
 *
 * @throws ConfigError naming the option, the value and the remedy.
 */
export function runtimeBenchOptions(args: readonly string[]): RuntimeBenchOptions {
  const values = parse(args);
  return {
    cases: namesOf('cases', values.cases, runtimeCaseNames),
    subjects: namesOf('subjects', values.subjects, runtimeSubjects),
    warmUp: positiveInteger('warm-up', values['warm-up'], 100),
    calls: positiveInteger('calls', values.calls, 100),
    cycles: positiveInteger('cycles', values.cycles, 100),
    rounds: positiveInteger('rounds', values.rounds, 100),
  };
}
