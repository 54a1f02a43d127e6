import { ConfigError, checkInteger, checkRange, checkStoreName, isKey, type Key, keyToString } from '@bpc/core';
import type { AlgorithmFactory } from './algorithm-programs.js';
import { MOST_STEPS } from './chain-keys.js';
import { checkMetric } from './check-metric.js';
import { checkRuntime } from './check-runtime.js';
import { checkTarget } from './check-target.js';
import { remoteModel } from './load-model.js';
import type { SampleOptions, SamplingCheckpoint } from './options.js';
import type { Settings } from './settings.js';

type Unchecked = Readonly<Record<string, unknown>>;

/** More chains than any diagnostic asks for; each takes memory of its own. */
const MOST_CHAINS = 65_536;

/** Tensor algorithms of this package, for messages. */
const TENSOR_ALGORITHMS = ['hmc', 'mala', 'ula', 'sgld', 'psgld', 'sghmc', 'underdampedLangevin'];

const isRecord = (value: unknown): value is Unchecked => typeof value === 'object' && value !== null;

const show = (value: unknown): string => {
  if (typeof value === 'string') return `'${value}'`;
  if (isRecord(value)) return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
};

function integer(options: Unchecked, name: string, byDefault: number, least: number): number {
  const value = options[name] ?? byDefault;
  if (typeof value !== 'number') throw new ConfigError(`${name} is ${show(value)}, expected a number`, `pass a whole number as ${name}`);
  return checkInteger(name, value, least);
}

function positive(options: Unchecked, name: string): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new ConfigError(`${name} is ${show(value)}, expected a finite number > 0`, `pass a positive number as ${name}`);
}

function functionOrNone(options: Unchecked, name: string): void {
  const value = options[name];
  if (value === undefined || typeof value === 'function') return;
  throw new ConfigError(`${name} is ${show(value)}, expected a function`, `pass a function as ${name}, or leave it out`);
}

function checkKey(key: unknown): Key {
  // A symbolic key has no text, which says so itself.
  if (isKey(key) && keyToString(key)) return key;
  throw new ConfigError(`key is ${show(key)}, expected a key`, 'write key: key(1), with key from @bpc/samplers');
}

/** What was asked to move the chains. */
export interface CheckedAlgorithm {
  readonly algorithm: Settings['algorithm'];
  readonly factory: AlgorithmFactory | undefined;
}

function checkAlgorithm(algorithm: unknown, hasModel: boolean, hasWorkers: boolean): CheckedAlgorithm {
  if (algorithm === undefined || algorithm === 'nuts') return { algorithm: 'nuts', factory: undefined };
  if (typeof algorithm === 'function') {
    if (hasWorkers) {
      throw new ConfigError(
        'algorithm is a function, which cannot be sent to workers',
        "export it from the model's module, and write algorithm: { export: 'name' }",
      );
    }
    return { algorithm: 'factory', factory: algorithm as AlgorithmFactory };
  }
  if (isRecord(algorithm) && typeof algorithm['export'] === 'string') {
    if (hasModel) return { algorithm: { export: algorithm['export'] }, factory: undefined };
    throw new ConfigError('algorithm names an export, but there is no module', 'pass model: { module, … }, or the function itself');
  }
  if (typeof algorithm === 'string') {
    const meant = TENSOR_ALGORITHMS.find((name) => name.toLowerCase() === algorithm.toLowerCase());
    throw new ConfigError(
      `algorithm is '${algorithm}'; only 'nuts' has a name`,
      meant === undefined
        ? `write 'nuts', or a function of one of ${TENSOR_ALGORITHMS.join(', ')}: ({ logDensity }) => hmc({ logDensity, … })`
        : `write ({ logDensity }) => ${meant}({ logDensity, stepSize: … })`,
    );
  }
  throw new ConfigError(
    `algorithm is ${show(algorithm)}, expected 'nuts' or a function`,
    'write ({ logDensity }) => hmc({ logDensity, … })',
  );
}

/** Options that one kind of algorithm has and the other has not. */
function checkFits(options: Unchecked, algorithm: Settings['algorithm']): void {
  const foreign = algorithm === 'nuts' ? ['minibatch', 'blockSize'] : ['maxDepth', 'stepSize', 'temperature'];
  const found = foreign.find((name) => options[name] !== undefined);
  if (found === undefined) return;
  throw new ConfigError(
    algorithm === 'nuts' ? `${found} is given, but nuts has none` : `${found} is given, which only nuts has`,
    algorithm === 'nuts'
      ? 'leave it out, or choose a stochastic-gradient algorithm such as sgld'
      : `leave it out, and give ${found} to the algorithm`,
  );
}

function checkMinibatch(minibatch: unknown): Settings['minibatch'] {
  if (minibatch === undefined) return undefined;
  if (!isRecord(minibatch)) throw new ConfigError(`minibatch is ${show(minibatch)}, expected { size }`, 'write minibatch: { size: 100 }');
  return { size: integer(minibatch, 'size', Number.NaN, 1) };
}

function checkCheckpoint(checkpoint: unknown): SamplingCheckpoint | undefined {
  if (checkpoint === undefined) return undefined;
  const { store, name = 'draws', every, allowInexact = false }: Unchecked = isRecord(checkpoint) ? { ...checkpoint } : {};
  if (!isRecord(store) || ['read', 'write', 'list', 'remove'].some((method) => typeof store[method] !== 'function')) {
    throw new ConfigError(
      `checkpoint.store is ${show(store)}, expected a store`,
      "write checkpoint: { store: fileStore('folder') }, or memoryStore()",
    );
  }
  if (typeof name !== 'string') throw new ConfigError(`checkpoint.name is ${show(name)}, expected text`, 'pass a name for the files');
  checkStoreName(name);
  if (typeof allowInexact !== 'boolean') {
    throw new ConfigError(`checkpoint.allowInexact is ${show(allowInexact)}, expected true or false`, 'pass true or false');
  }
  return {
    // It has the functions of one.
    store: store as unknown as SamplingCheckpoint['store'],
    name,
    allowInexact,
    ...(every === undefined ? {} : { every: integer({ every }, 'every', Number.NaN, 1) }),
  };
}

/** The one thing to sample from. */
function checkSource(options: Unchecked): void {
  const given = [options['model'] !== undefined, options['prepared'] !== undefined, options['logDensity'] !== undefined].filter(Boolean);
  if (given.length > 1) throw new ConfigError('more than one of logDensity, model and prepared is given', 'pass one of them');
  const { model, prepared, workers } = options;
  if (workers !== undefined) {
    if (!isRecord(workers) || typeof workers['open'] !== 'function') {
      throw new ConfigError(`workers is ${show(workers)}, expected a pool`, 'write workers: nodeWorkers(), from @bpc/samplers/node');
    }
    if (model === undefined) {
      throw new ConfigError(
        'workers are given, but no model: functions cannot be sent to threads',
        "export the target from a module, and write model: { module: new URL('./model.js', import.meta.url) }",
      );
    }
    if (options['runtime'] !== undefined) {
      throw new ConfigError(
        'runtime is given together with workers, which it cannot be sent to',
        "export a function 'runtime' that makes it from the model's module",
      );
    }
  }
  if (model !== undefined) {
    if (!isRecord(model)) throw new ConfigError(`model is ${show(model)}, expected { module }`, 'write model: { module: new URL(…) }');
    remoteModel(model);
    return;
  }
  if (prepared !== undefined) {
    if (!isRecord(prepared) || !isRecord(prepared['internals'])) {
      throw new ConfigError(`prepared is ${show(prepared)}, expected a prepared target`, 'pass await prepareTarget({ parameters, … })');
    }
    if (options['runtime'] !== undefined) {
      throw new ConfigError('runtime is given together with prepared, which has one', 'give the runtime to prepareTarget');
    }
    return;
  }
  checkTarget(options);
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
  if (progressInterval !== undefined) checkRange('progressInterval', Number(progressInterval));
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
