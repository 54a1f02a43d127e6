import { algorithmChain } from './algorithm-chain.js';
import { type AlgorithmFactory, algorithmPrograms } from './algorithm-programs.js';
import { checkTuning } from './check-tuning.js';
import type { ChainMaker } from './make-chains.js';
import type { PreparedTarget } from './prepared-target.js';
import type { Settings } from './settings.js';
import { textFingerprint } from './text-fingerprint.js';

/** Transitions per block where memory does not matter: what a call of a program costs is then below 1 % of a small model's. */
const LONGEST = 100;

/** Numbers of the positions that a block stacks: 4 MiB in float32. */
const MOST_NUMBERS = 2 ** 20;

/** What chains of a tensor algorithm are made from. */
export interface AlgorithmChainsOptions {
  readonly prepared: PreparedTarget;
  readonly factory: AlgorithmFactory;
  readonly settings: Settings;
  readonly starts: readonly Float64Array[] | undefined;
}

/** Transitions per block: 100, fewer for positions of more than 10 000 numbers. Depends on nothing else, as draws depend on it. */
export const blockLength = ({ blockSize }: Pick<Settings, 'blockSize'>, size: number): number =>
  blockSize ?? Math.max(1, Math.min(LONGEST, Math.floor(MOST_NUMBERS / size)));

/** Compiles the algorithm. @throws ConfigError or ShapeError like `algorithmPrograms`. */
export async function algorithmChains({ prepared, factory, settings, starts }: AlgorithmChainsOptions): Promise<ChainMaker> {
  const { internals, layout } = prepared;
  const batch = settings.minibatch?.size;
  const length = blockLength(settings, layout.size);
  const programs = await internals.keep(factory, `${batch ?? 'all'}:${length}`, () => algorithmPrograms(prepared, factory, batch, length));
  checkTuning(settings, programs.like, programs.statistics);
  const density = await internals.density(batch);
  return {
    statistics: programs.statistics,
    program: textFingerprint(programs.block(length).toString()),
    chain: (index, saved, allowInexact) =>
      algorithmChain({ prepared, programs, density, settings, length, index, start: starts?.[index], saved, allowInexact }),
  };
}
