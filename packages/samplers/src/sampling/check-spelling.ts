import { ConfigError } from '@bpc/core';
import type { SampleOptions } from './options.js';
import type { Unchecked } from './unchecked.js';

/** Every option; the compiler demands that none is missing here. */
const NAMES: Readonly<Record<keyof SampleOptions, true>> = {
  key: true,
  algorithm: true,
  chains: true,
  warmup: true,
  draws: true,
  thin: true,
  runtime: true,
  workers: true,
  signal: true,
  onProgress: true,
  progressInterval: true,
  targetAcceptance: true,
  metric: true,
  maxDepth: true,
  stepSize: true,
  temperature: true,
  keepWarmup: true,
  checkpoint: true,
  minibatch: true,
  blockSize: true,
  start: true,
  model: true,
  prepared: true,
  parameters: true,
  logDensity: true,
  data: true,
  derived: true,
};

/** What other libraries call an option. */
const OTHERS: Readonly<Record<string, keyof SampleOptions>> = {
  tune: 'warmup',
  numwarmup: 'warmup',
  iterwarmup: 'warmup',
  burnin: 'warmup',
  numsamples: 'draws',
  samples: 'draws',
  itersampling: 'draws',
  numchains: 'chains',
  thinning: 'thin',
  seed: 'key',
  targetaccept: 'targetAcceptance',
  adaptdelta: 'targetAcceptance',
  maxtreedepth: 'maxDepth',
  init: 'start',
  initialvalues: 'start',
  logp: 'logDensity',
  logprob: 'logDensity',
  batchsize: 'minibatch',
  massmatrix: 'metric',
};

const plain = (name: string): string => name.toLowerCase().replaceAll('_', '');
const MEANT = new Map<string, string>([...Object.keys(NAMES).map((name) => [plain(name), name] as const), ...Object.entries(OTHERS)]);

/**
 * Refuses names that are an option's in other letters (`warmUp`) or in another library (`tune`), which would be ignored. Other
 * names may stand beside the options: a target may bring fields of its own.
 *
 * @throws ConfigError naming both.
 */
export function checkSpelling(options: Unchecked): void {
  for (const name of Object.keys(options)) {
    const meant = Object.hasOwn(NAMES, name) ? undefined : MEANT.get(plain(name));
    if (meant !== undefined) throw new ConfigError(`'${name}' is no option of sample`, `write ${meant}`);
  }
}
