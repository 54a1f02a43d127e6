import { namesOf, parseOptions, positiveInteger, usageOf } from '../option-values.js';
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

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
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
  } as const;
  return parseOptions({ args: [...args], options }, `${usageOf(all)} --python PATH --quick`);
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
    cases: namesOf('cases', values.cases, samplerCaseNames),
    models: namesOf('models', values.models, smallModelNames),
    subjects: namesOf('subjects', values.subjects, nutsSubjects),
    seeds: positiveInteger('seeds', values.seeds),
    chains: positiveInteger('chains', values.chains),
    warmup: positiveInteger('warmup', values.warmup),
    draws: positiveInteger('draws', values.draws),
    rounds: positiveInteger('rounds', values.rounds),
    secondsPerRound: values.quick ? 0.2 : 1,
    threads: [...new Set(values.threads.split(',').map((item) => positiveInteger('threads', item)))],
    width: positiveInteger('width', values.width),
    steps: positiveInteger('steps', values.steps),
    python: values.python ?? process.env['BPC_PYTHON'] ?? 'python3',
  };
}
