import { type ParseArgsConfig, parseArgs } from 'node:util';
import { ConfigError } from '@bpc/core';
import { suggest } from '../config/index.js';

/** An option's text as a positive integer. @throws ConfigError naming option, value and an example. */
export function positiveInteger(option: string, text: string, example = 2): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new ConfigError(`--${option} is ${text}, expected a positive integer`, `pass for example --${option} ${example}`);
}

/** Names between commas, each once. @throws ConfigError for one that is not known, with the nearest that is. */
export function namesOf<N extends string>(option: string, text: string, known: readonly N[]): N[] {
  return [...new Set(text.split(','))].map((name) => {
    const found = known.find((each) => each === name);
    if (found !== undefined) return found;
    const near = suggest(name, known);
    throw new ConfigError(
      `--${option} has '${name}', expected names among ${known.join(', ')}`,
      near === undefined ? `choose from ${known.join(',')}` : `did you mean '${near}'?`,
    );
  });
}

/** `parseArgs`, whose errors become ConfigErrors that say how the bench is used. */
export function parseOptions<const T extends ParseArgsConfig>(config: T, usage: string): ReturnType<typeof parseArgs<T>>['values'] {
  try {
    return parseArgs(config).values;
  } catch (cause) {
    // Node explains on further lines what the remedy says.
    const [what = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    throw new ConfigError(what, `options: ${usage}`, { cause });
  }
}

/** Options with their values, as a user would write them. */
export const usageOf = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `--${name} ${value}`)
    .join(' ');
