import { eventLoopTurns } from '@bpc/core';
import type { Chain, Chunk } from './chain.js';

/** Milliseconds of work between two turns of the event loop, and of one round over all chains. */
const ROUND = 15;

/** When chains hand over their states beside their rows. */
export interface SavePlan {
  /** Transitions between two states; none: `seconds` decides. */
  readonly every: number | undefined;
  /** Least time between two states. */
  readonly seconds: number;
}

/** How a group of chains is driven. */
export interface GroupOptions {
  /** Transitions of each chain. */
  readonly total: number;
  readonly signal: AbortSignal;
  readonly plan: SavePlan | undefined;
}

async function chunkOf(chain: Chain, saving: boolean, last: boolean): Promise<Chunk> {
  const { index, step, divergences } = chain;
  return {
    chain: index,
    step,
    divergences,
    rows: chain.take(),
    ...(saving ? { saved: await chain.save() } : {}),
    ...(last ? { record: chain.record() } : {}),
  };
}

/**
 * Advances chains round-robin, each by equally many transitions per round, so that a run that is stopped has chains of nearly
 * equal length. Gives a list of chunks per round, and a last one when all are done or the signal is aborted.
 *
 * How many transitions a round has follows from the time they take; no number depends on it.
 *
 * @throws whatever a chain throws, after handing over what the others have.
 */
export async function* runGroup(
  chains: readonly Chain[],
  { total, signal, plan }: GroupOptions,
): AsyncGenerator<readonly Chunk[], void, void> {
  const turn = eventLoopTurns(ROUND);
  let stride = 1;
  let savedAt = performance.now();
  let savedStep = Math.min(...chains.map(({ step }) => step));
  for (;;) {
    const first = Math.min(...chains.map(({ step }) => step));
    const unfinished = chains.filter(({ step }) => step < total);
    if (unfinished.length === 0 || signal.aborted) break;
    const nextSave = plan?.every === undefined ? total : (Math.floor(first / plan.every) + 1) * plan.every;
    const to = Math.min(total, nextSave, first + stride);
    const begun = performance.now();
    for (const chain of unfinished) {
      if (chain.step < to) {
        try {
          await chain.advance(to);
        } catch (error) {
          const others = chains.filter((other) => other !== chain);
          yield await Promise.all(others.map((other) => chunkOf(other, plan !== undefined, true)));
          throw error;
        }
      }
      await turn();
      if (signal.aborted) break;
    }
    const took = performance.now() - begun;
    stride = Math.max(1, Math.min(2 * stride, Math.round((stride * ROUND) / Math.max(took, 0.1))));
    const reached = Math.min(...chains.map(({ step }) => step));
    const due =
      plan !== undefined &&
      (plan.every === undefined ? performance.now() - savedAt > plan.seconds * 1000 : reached >= savedStep + plan.every);
    if (due) {
      savedAt = performance.now();
      savedStep = reached;
    }
    yield await Promise.all(chains.map((chain) => chunkOf(chain, due, false)));
  }
  yield await Promise.all(chains.map((chain) => chunkOf(chain, plan !== undefined, true)));
}
