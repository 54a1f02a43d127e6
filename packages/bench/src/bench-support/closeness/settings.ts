import { ConfigError } from '@bpc/core';
import { namesOf, parseOptions, positiveInteger, usageOf } from '../option-values.js';
import { type CaseName, caseNames } from './problem.js';

/** What the user asked for. */
export interface ClosenessSettings {
  readonly cases: readonly CaseName[];
  /** Coresets per method that are reported. */
  readonly seeds: number;
  readonly quick: boolean;
  /** Threads; 0 for this one. */
  readonly workers: number;
  /** Folder that a stopped run continues from. */
  readonly out: string;
}

const defaults = { case: caseNames.join(','), seeds: '10', workers: '2', out: 'bpc-out/closeness' };
const quickDefaults = { seeds: '2', out: 'bpc-out/closeness-quick' };

/**
 * Reads the words after `bpc bench closeness`.
 *
 * @throws ConfigError naming the option, the value and the remedy.
 */
export function closenessSettings(args: readonly string[]): ClosenessSettings {
  const text = { type: 'string' } as const;
  const options = { case: text, seeds: text, workers: text, out: text, quick: { type: 'boolean', default: false } } as const;
  const given = parseOptions({ args: [...args], options }, `${usageOf(defaults)} --quick`);
  const values = { ...defaults, ...(given.quick ? quickDefaults : {}), ...given };
  const seeds = positiveInteger('seeds', values.seeds, 10);
  if (seeds < 2)
    throw new ConfigError(`--seeds is ${seeds}, expected 2 or more: an interval needs a spread`, 'pass for example --seeds 10');
  const workers = values.workers === '0' ? 0 : positiveInteger('workers', values.workers, 2);
  if (values.out === '') throw new ConfigError("--out is '', expected the path of a folder", `pass for example --out ${defaults.out}`);
  return { cases: namesOf('case', values.case, caseNames), seeds, quick: given.quick, workers, out: values.out };
}
