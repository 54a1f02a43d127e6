import type { FlatDensity } from '@bpc/core';
import type { Workspace } from './workspace.js';

/** What is needed of a density. */
export type Evaluable = Pick<FlatDensity, 'size' | 'evaluate'>;

/** A computation that stops for gradients. */
export interface Machine<R> {
  /** Goes on after value and gradient of the slot it asked for are known. The next slot to evaluate, or −1 at the end. */
  advance(): number;
  /** Its result. */
  finish(): R;
  /** Called instead of `finish` if the density throws. */
  fail(): void;
}

/**
 * Runs a machine to its end, from the first slot it asks for.
 *
 * The one loop for both kinds of density: without a promise as long as values come at once, awaiting as soon as one does not.
 */
export function drive<R>(density: Evaluable, workspace: Workspace, slot: number, machine: Machine<R>): R | Promise<R> {
  const { positions, gradients, logDensities } = workspace;
  try {
    while (slot >= 0) {
      const value = density.evaluate(positions[slot] as Float64Array, gradients[slot] as Float64Array);
      if (typeof value !== 'number') return driveAsync(density, workspace, slot, value, machine);
      logDensities[slot] = value;
      slot = machine.advance();
    }
  } catch (error) {
    machine.fail();
    throw error;
  }
  return machine.finish();
}

async function driveAsync<R>(
  density: Evaluable,
  { positions, gradients, logDensities }: Workspace,
  slot: number,
  pending: number | Promise<number>,
  machine: Machine<R>,
): Promise<R> {
  try {
    for (;;) {
      logDensities[slot] = await pending;
      slot = machine.advance();
      if (slot < 0) break;
      pending = density.evaluate(positions[slot] as Float64Array, gradients[slot] as Float64Array);
    }
  } catch (error) {
    machine.fail();
    throw error;
  }
  return machine.finish();
}
