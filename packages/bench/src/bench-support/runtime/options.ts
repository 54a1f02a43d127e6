import { parseArgs } from 'node:util';
import { ConfigError } from '@bpc/core';

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

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new ConfigError(`--${name} is ${text}, expected a positive integer`, `pass for example --${name} 100`);
  return value;
}

function namesOf<T extends string>(option: string, text: string, known: readonly T[]): T[] {
  return [...new Set(text.split(','))].map((word) => {
    const name = known.find((candidate) => candidate === word);
    if (name === undefined)
      throw new ConfigError(`--${option} has '${word}', expected names of ${option}`, `choose from ${known.join(',')}`);
    return name;
  });
}

function parse(args: readonly string[]) {
  const option = (value: string) => ({ type: 'string' as const, default: value });
  try {
    return parseArgs({
      args: [...args],
      options: {
        cases: option(defaults.cases),
        subjects: option(defaults.subjects),
        'warm-up': option(defaults['warm-up']),
        calls: option(defaults.calls),
        cycles: option(defaults.cycles),
        rounds: option(defaults.rounds),
      },
    }).values;
  } catch (cause) {
    throw new ConfigError(
      (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '',
      `options: ${Object.entries(defaults)
        .map(([name, value]) => `--${name} ${value}`)
        .join(' ')}`,
      { cause },
    );
  }
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
    warmUp: count('warm-up', values['warm-up']),
    calls: count('calls', values.calls),
    cycles: count('cycles', values.cycles),
    rounds: count('rounds', values.rounds),
  };
}
