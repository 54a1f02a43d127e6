import { parseArgs } from 'node:util';
import { ConfigError } from '@bpc/core';
import { suggest } from '../../config/index.js';
import { type SmallModelName, smallModelNames } from '../small-models/models.js';

/** What `bpc bench samplers` can look at. */
export const samplerCaseNames = ['nuts', 'workers', 'steps', 'network', 'memory'] as const;
export type SamplerCaseName = (typeof samplerCaseNames)[number];

/** Who runs NUTS: ours on one thread, and two libraries with their chains one after the other or as one batch. */
export const nutsSubjects = ['js', 'blackjax:sequential', 'blackjax:vmap', 'numpyro:sequential', 'numpyro:vmap'] as const;
export type NutsSubject = (typeof nutsSubjects)[number];

/** What the user asked for. */
export interface SamplerBenchOptions {
  readonly cases: readonly SamplerCaseName[];
  readonly models: readonly SmallModelName[];
  readonly subjects: readonly NutsSubject[];
  /** Seeds of NUTS: each is one run in a fresh process and one in a warm one, per subject. */
  readonly seeds: number;
  readonly chains: number;
  readonly warmup: number;
  readonly draws: number;
  /** Rounds of `steps` and `network`. */
  readonly rounds: number;
  readonly secondsPerRound: number;
  /** Threads of ONNX Runtime. */
  readonly threads: readonly number[];
  /** Channels of the ConvNet. */
  readonly width: number;
  /** Steps over which memory must stay flat. */
  readonly steps: number;
  readonly python: string;
}

const all = {
  cases: samplerCaseNames.join(','),
  models: smallModelNames.join(','),
  subjects: nutsSubjects.join(','),
  seeds: '10',
  chains: '4',
  warmup: '1000',
  draws: '1000',
  rounds: '7',
  threads: '1,2',
  width: '128',
  steps: '100000',
};
const quick = { seeds: '1', rounds: '2', threads: '1', width: '16', steps: '2000' };

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new ConfigError(`--${name} is ${text}, expected a positive integer`, `pass for example --${name} 2`);
  return value;
}

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

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        cases: text,
        models: text,
        subjects: text,
        seeds: text,
        chains: text,
        warmup: text,
        draws: text,
        rounds: text,
        threads: text,
        width: text,
        steps: text,
        python: text,
        quick: { type: 'boolean', default: false },
      },
    }).values;
  } catch (cause) {
    const usage = Object.entries(all).map(([name, value]) => `--${name} ${value}`);
    throw new ConfigError(
      // Node explains on further lines what the remedy says.
      (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '',
      `options: ${usage.join(' ')} --python PATH --quick`,
      { cause },
    );
  }
}

/**
 * Reads the words after `bpc bench samplers`.
 *
 * @throws ConfigError naming the option, the value and the remedy.
 */
export function samplerBenchOptions(args: readonly string[]): SamplerBenchOptions {
  const given = parse(args);
  const values = { ...all, ...(given.quick ? quick : {}), ...given };
  return {
    cases: choose('cases', values.cases, samplerCaseNames),
    models: choose('models', values.models, smallModelNames),
    subjects: choose('subjects', values.subjects, nutsSubjects),
    seeds: count('seeds', values.seeds),
    chains: count('chains', values.chains),
    warmup: count('warmup', values.warmup),
    draws: count('draws', values.draws),
    rounds: count('rounds', values.rounds),
    secondsPerRound: values.quick ? 0.2 : 1,
    threads: [...new Set(values.threads.split(',').map((item) => count('threads', item)))],
    width: count('width', values.width),
    steps: count('steps', values.steps),
    python: values.python ?? process.env['BPC_PYTHON'] ?? 'python3',
  };
}
