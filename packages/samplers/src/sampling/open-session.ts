import { ConfigError } from '@bpc/core';
import type { AlgorithmFactory } from './algorithm-programs.js';
import { loadModel, remoteModel } from './load-model.js';
import type { SamplerKind } from './make-chains.js';
import type { SampleOptions } from './options.js';
import { prepareTarget } from './prepared-target.js';
import { localSession, type Session } from './session.js';
import type { Settings } from './settings.js';

/** Opens the chains of a run, where its options say. */
export async function openSession(options: SampleOptions, settings: Settings, factory: AlgorithmFactory | undefined): Promise<Session> {
  const chains = Array.from({ length: settings.chains }, (_, c) => c);
  const given: SamplerKind = factory === undefined ? { kind: 'nuts' } : { kind: 'algorithm', factory };
  if (options.model !== undefined) {
    const model = remoteModel(options.model);
    if (options.workers !== undefined) return options.workers.open(model, settings);
    const loaded = await loadModel(model, options.runtime);
    const { algorithm } = settings;
    try {
      const sampler: SamplerKind = typeof algorithm === 'object' ? { kind: 'algorithm', factory: loaded.factory(algorithm.export) } : given;
      return await localSession({ prepared: loaded.prepared, owned: true, sampler, settings, chains });
    } catch (error) {
      await loaded.prepared.dispose();
      throw error;
    }
  }
  if (options.prepared !== undefined) return localSession({ prepared: options.prepared, owned: false, sampler: given, settings, chains });
  const { parameters, logDensity, data, derived, runtime } = options;
  if (parameters === undefined || logDensity === undefined)
    throw new ConfigError('there is nothing to sample from', 'pass parameters and logDensity');
  const prepared = await prepareTarget({
    parameters,
    logDensity,
    ...(data === undefined ? {} : { data }),
    ...(derived === undefined ? {} : { derived }),
    ...(runtime === undefined ? {} : { runtime }),
  });
  return localSession({ prepared, owned: true, sampler: given, settings, chains });
}
