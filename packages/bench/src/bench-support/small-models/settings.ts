import { parseArgs } from 'node:util';
import { ConfigError } from '@bpc/core';
import { suggest } from '../../config/index.js';
import { type SmallModelName, smallModelNames } from './models.js';
import { type SmallModelSubject, smallModelSubjects } from './task.js';

export interface SmallModelSettings {
  readonly models: readonly SmallModelName[];
  readonly subjects: readonly SmallModelSubject[];
  readonly rounds: number;
  readonly python: string;
}

const subjectNames = Object.keys(smallModelSubjects) as SmallModelSubject[];

function choose<N extends string>(option: string, text: string, known: readonly N[]): N[] {
  return [...new Set(text.split(','))].map((name) => {
    const found = known.find((each) => each === name);
    if (found !== undefined) return found;
    const near = suggest(name, known);
    throw new ConfigError(
      `--${option} has '${name}', expected ${known.join(', ')}`,
      near === undefined ? `pass --${option} with some of these` : `did you mean '${near}'?`,
    );
  });
}

/** Reads the words after the bench's name. @throws ConfigError for those it does not know. */
export function smallModelSettings(args: readonly string[]): SmallModelSettings {
  const defaults = { models: smallModelNames.join(','), subjects: subjectNames.join(','), rounds: '7' };
  const option = (value: string) => ({ type: 'string' as const, default: value });
  let values: Readonly<Record<keyof typeof defaults | 'python', string>>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        models: option(defaults.models),
        subjects: option(defaults.subjects),
        rounds: option(defaults.rounds),
        python: option(process.env['BPC_PYTHON'] ?? 'python3'),
      },
    }));
  } catch (cause) {
    throw new ConfigError(
      // Node explains on further lines what the remedy says.
      (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '',
      `options: --models ${defaults.models} --subjects ${defaults.subjects} --rounds ${defaults.rounds} --python PATH`,
      { cause },
    );
  }
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new ConfigError(`--rounds is ${values.rounds}, expected a positive integer`, `pass for example --rounds ${defaults.rounds}`);
  return {
    models: choose('models', values.models, smallModelNames),
    subjects: choose('subjects', values.subjects, subjectNames),
    rounds,
    python: values.python,
  };
}
