import { ConfigError, checkRange, isKey, type Key, keyToString } from '@bpc/core';
import { show } from '../show.js';
import type { AlgorithmFactory } from './algorithm-programs.js';
import { MOST_STEPS } from './chain-keys.js';
import { checkAlgorithm, checkFits } from './check-algorithm.js';
import { checkCheckpoint } from './check-checkpoint.js';
import { checkMetric } from './check-metric.js';
import { checkRuntime } from './check-runtime.js';
import { checkSource } from './check-source.js';
import { checkSpelling } from './check-spelling.js';
import type { SampleOptions, SamplingCheckpoint } from './options.js';
import type { Settings } from './settings.js';
import { functionOrNone, integer, isRecord, positive, type Unchecked } from './unchecked.js';

/** More chains than any diagnostic asks for; each takes memory of its own. */
const MOST_CHAINS = 65_536;

function checkKey(key: unknown): Key {
  // A symbolic key has no text, which says so itself.
  if (isKey(key) && keyToString(key)) return key;
  throw new ConfigError(`key is ${show(key)}, expected a key`, 'write key: key(1), with key from @bpc/samplers');
}

function checkMinibatch(minibatch: unknown): Settings['minibatch'] {
  if (minibatch === undefined) return undefined;
  if (!isRecord(minibatch)) throw new ConfigError(`minibatch is ${show(minibatch)}, expected { size }`, 'write minibatch: { size: 100 }');
  return { size: integer(minibatch, 'size', Number.NaN, 1) };
}

function checkInterval(seconds: unknown): void {
  if (typeof seconds === 'number') checkRange('progressInterval', seconds);
  else throw new ConfigError(`progressInterval is ${show(seconds)}, expected a number`, 'pass seconds, such as 0.1');
}

/** A run's options once checked. */
export interface CheckedOptions {
  readonly settings: Settings;
  readonly factory: AlgorithmFactory | undefined;
  readonly key: Key;
  readonly checkpoint: SamplingCheckpoint | undefined;
}

/**
 * Checks everything that can be checked without compiling, and fills in defaults.
 *
 * @throws ConfigError or ShapeError, naming the option, what it is, and what to pass.
 */
export function checkOptions(options: SampleOptions): CheckedOptions {
  const given: unknown = options;
  if (!isRecord(given))
    throw new ConfigError(`options are ${show(given)}, expected an object`, 'write sample({ parameters, logDensity, key: key(1) })');
  const unchecked: Unchecked = { ...given };
  checkSpelling(unchecked);
  const key = checkKey(unchecked['key']);
  const chains = integer(unchecked, 'chains', 4, 1);
  if (chains > MOST_CHAINS)
    throw new ConfigError(`chains is ${chains}, expected at most ${MOST_CHAINS}`, 'ask for fewer chains and more draws');
  const warmup = integer(unchecked, 'warmup', 1000, 0);
  const draws = integer(unchecked, 'draws', 1000, 1);
  const thin = integer(unchecked, 'thin', 1, 1);
  if (!(warmup + draws * thin < MOST_STEPS)) {
    throw new ConfigError(`warmup + draws × thin is ${warmup + draws * thin}, expected less than 2^52`, 'ask for fewer draws');
  }
  const { algorithm, factory } = checkAlgorithm(
    unchecked['algorithm'],
    unchecked['model'] !== undefined,
    unchecked['workers'] !== undefined,
  );
  checkFits(unchecked, algorithm);
  const targetAcceptance = positive(unchecked, 'targetAcceptance') ?? 0.8;
  if (targetAcceptance >= 1) {
    throw new ConfigError(`targetAcceptance is ${targetAcceptance}, expected a number in (0, 1)`, 'pass 0.8, or 0.95 against divergences');
  }
  const maxDepth = integer(unchecked, 'maxDepth', 10, 1);
  if (maxDepth > 20)
    throw new ConfigError(`maxDepth is ${maxDepth}, expected at most 20`, 'pass 10; 2^20 gradients per draw are never worth it');
  const { keepWarmup = false, runtime, signal, progressInterval } = unchecked;
  if (typeof keepWarmup !== 'boolean')
    throw new ConfigError(`keepWarmup is ${show(keepWarmup)}, expected true or false`, 'pass true or false');
  if (runtime !== undefined) checkRuntime(runtime);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ConfigError(
      `signal is ${show(signal)}, expected an AbortSignal`,
      'pass controller.signal, or AbortSignal.timeout(milliseconds)',
    );
  }
  if (progressInterval !== undefined) checkInterval(progressInterval);
  functionOrNone(unchecked, 'onProgress');
  checkSource(unchecked);
  const blockSize = unchecked['blockSize'] === undefined ? undefined : integer(unchecked, 'blockSize', 1, 1);
  if (blockSize !== undefined && blockSize > 1e6) {
    throw new ConfigError(`blockSize is ${blockSize}, expected at most 1000000`, 'pass 100: more gains nothing');
  }
  return {
    settings: {
      chains,
      warmup,
      draws,
      thin,
      key: keyToString(key),
      algorithm,
      targetAcceptance,
      metric: checkMetric(unchecked['metric'] ?? 'diagonal'),
      maxDepth,
      stepSize: positive(unchecked, 'stepSize'),
      temperature: positive(unchecked, 'temperature') ?? 1,
      keepWarmup,
      blockSize,
      minibatch: checkMinibatch(unchecked['minibatch']),
      start: unchecked['start'],
    },
    factory,
    key,
    checkpoint: checkCheckpoint(unchecked['checkpoint']),
  };
}
