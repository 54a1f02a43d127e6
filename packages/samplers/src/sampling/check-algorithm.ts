import { ConfigError } from '@bpc/core';
import { show } from '../show.js';
import type { AlgorithmFactory } from './algorithm-programs.js';
import type { Settings } from './settings.js';
import { isRecord, type Unchecked } from './unchecked.js';

/** Tensor algorithms of this package, for messages. */
const TENSOR_ALGORITHMS = ['hmc', 'mala', 'ula', 'sgld', 'psgld', 'sghmc', 'underdampedLangevin'];

/** What was asked to move the chains. */
export interface CheckedAlgorithm {
  readonly algorithm: Settings['algorithm'];
  readonly factory: AlgorithmFactory | undefined;
}

/** @throws ConfigError for anything but `'nuts'`, a function, and the name of an export of a module. */
export function checkAlgorithm(algorithm: unknown, hasModel: boolean, hasWorkers: boolean): CheckedAlgorithm {
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

/** Refuses options that one kind of algorithm has and the other has not. @throws ConfigError naming the option. */
export function checkFits(options: Unchecked, algorithm: Settings['algorithm']): void {
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
