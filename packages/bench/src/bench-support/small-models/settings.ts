import { namesOf, parseOptions, positiveInteger, usageOf } from '../option-values.js';
import { type SmallModelName, smallModelNames } from './models.js';
import { type SmallModelSubject, smallModelSubjects } from './task.js';

export interface SmallModelSettings {
  readonly models: readonly SmallModelName[];
  readonly subjects: readonly SmallModelSubject[];
  readonly rounds: number;
  readonly python: string;
}

const subjectNames = Object.keys(smallModelSubjects) as SmallModelSubject[];

/** Reads the words after the bench's name. @throws ConfigError for those it does not know. */
export function smallModelSettings(args: readonly string[]): SmallModelSettings {
  const defaults = { models: smallModelNames.join(','), subjects: subjectNames.join(','), rounds: '7' };
  const option = (value: string) => ({ type: 'string' as const, default: value });
  const values = parseOptions(
    {
      args: [...args],
      options: {
        models: option(defaults.models),
        subjects: option(defaults.subjects),
        rounds: option(defaults.rounds),
        python: option(process.env['BPC_PYTHON'] ?? 'python3'),
      },
    },
    `${usageOf(defaults)} --python PATH`,
  );
  return {
    models: namesOf('models', values.models, smallModelNames),
    subjects: namesOf('subjects', values.subjects, subjectNames),
    rounds: positiveInteger('rounds', values.rounds),
    python: values.python,
  };
}
