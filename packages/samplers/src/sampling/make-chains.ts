import { algorithmChains } from './algorithm-chains.js';
import type { AlgorithmFactory } from './algorithm-programs.js';
import type { Chain, SavedChain } from './chain.js';
import { checkMetricSize } from './check-metric.js';
import { NUTS_STATISTICS, nutsChain } from './nuts-chain.js';
import type { PreparedTarget } from './prepared-target.js';
import type { Settings } from './settings.js';
import { givenStarts } from './start.js';

/** What moves the chains. */
export type SamplerKind = { readonly kind: 'nuts' } | { readonly kind: 'algorithm'; readonly factory: AlgorithmFactory };

/** Makes the chains of a run, new or saved. */
export interface ChainMaker {
  /** Names of the statistics in a row. */
  readonly statistics: readonly string[];
  /** Tells compiled algorithms apart. */
  readonly program: string;
  chain(index: number, saved: SavedChain | undefined, allowInexact: boolean): Promise<Chain>;
}

/** What a chain maker is made from. */
export interface ChainMakerOptions {
  readonly prepared: PreparedTarget;
  readonly sampler: SamplerKind;
  readonly settings: Settings;
}

/**
 * Compiles what chains need and checks what depends on the target: starts and the metric.
 *
 * @throws ConfigError or ShapeError on a start off its support or of another shape, and a metric of another size.
 */
export async function makeChains({ prepared, sampler, settings }: ChainMakerOptions): Promise<ChainMaker> {
  const { internals, layout } = prepared;
  const starts = givenStarts(internals.parameters, settings.start, settings.chains);
  checkMetricSize(settings.metric, layout.size);
  if (sampler.kind === 'algorithm') return algorithmChains({ prepared, factory: sampler.factory, settings, starts });
  const density = await internals.density();
  return {
    statistics: NUTS_STATISTICS,
    program: 'nuts',
    chain: (index, saved, allowInexact) => nutsChain({ prepared, density, settings, index, start: starts?.[index], saved, allowInexact }),
  };
}
