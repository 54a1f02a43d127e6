import { ConfigError } from '@bpc/core';
import { show } from '../show.js';
import { checkTarget } from './check-target.js';
import { remoteModel } from './load-model.js';
import { isRecord, type Unchecked } from './unchecked.js';

/** Checks that there is one thing to sample from, and that it can go where the run goes. @throws ConfigError or ShapeError. */
export function checkSource(options: Unchecked): void {
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
