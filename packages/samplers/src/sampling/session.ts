import type { Metadata } from '@bpc/core';
import type { Chain, Chunk, SavedChain } from './chain.js';
import { runGroup, type SavePlan } from './chain-group.js';
import type { Layout } from './layout.js';
import { makeChains, type SamplerKind } from './make-chains.js';
import type { PreparedTarget } from './prepared-target.js';
import { type Settings, totalSteps } from './settings.js';

/** How chains run once a session is open. */
export interface RunRequest {
  /** Of chains that go on from where they were. */
  readonly saved: ReadonlyMap<number, SavedChain>;
  readonly allowInexact: boolean;
  readonly plan: SavePlan | undefined;
  readonly signal: AbortSignal;
}

/** Chains of one run, wherever they are advanced: in this thread, or in workers. */
export interface Session {
  readonly layout: Layout;
  /** Names of the statistics in a row. */
  readonly statistics: readonly string[];
  /** What must be equal for results to be equal to the last bit. */
  readonly environment: Metadata;
  /** Tells compiled algorithms apart; the same text for the same programs. */
  readonly program: string;
  /** Advances all chains to the end, or until the signal is aborted. Leaving the iteration stops them. */
  run(request: RunRequest): AsyncIterable<readonly Chunk[]>;
  dispose(): Promise<void>;
}

/** Chains in this thread. */
export interface LocalSessionOptions {
  readonly prepared: PreparedTarget;
  /** Disposes `prepared` with the session. */
  readonly owned: boolean;
  readonly sampler: SamplerKind;
  readonly settings: Settings;
  /** Which chains of the run are advanced here. */
  readonly chains: readonly number[];
}

/**
 * Opens the chains of this thread: everything is compiled and checked that can be before the first transition.
 *
 * @throws ConfigError, ShapeError or MissingKernelError.
 */
export async function localSession(options: LocalSessionOptions): Promise<Session> {
  const { prepared, owned, settings, chains: indices } = options;
  const dispose = async (): Promise<void> => {
    if (owned) await prepared.dispose();
  };
  try {
    const maker = await makeChains(options);
    return {
      layout: prepared.layout,
      statistics: maker.statistics,
      environment: prepared.internals.environment,
      program: maker.program,
      async *run({ saved, allowInexact, plan, signal }) {
        const chains: Chain[] = [];
        try {
          for (const index of indices) chains.push(await maker.chain(index, saved.get(index), allowInexact));
          yield* runGroup(chains, { total: totalSteps(settings), signal, plan });
        } finally {
          for (const chain of chains) await chain.dispose();
        }
      },
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
