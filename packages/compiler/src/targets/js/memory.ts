import { item } from '../../ir/shape.js';
import type { Statement } from './print.js';
import type { Storage } from './program.js';

export type Memory = {
  /** Sizes of the arrays to allocate. */
  readonly sizes: readonly number[];
  /** Array of each storage that shares; the others have their own. */
  readonly shared: ReadonlyMap<number, number>;
};

/**
 * Lets temporaries whose lives do not overlap use the same memory: an activation is free for reuse after its last reader.
 * Lives are read off the printed statements, whose order is final.
 */
export function assignMemory(storages: readonly Storage[], statements: readonly Statement[]): Memory {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  statements.forEach(({ text }, i) => {
    for (const [, id] of text.matchAll(/\bb(\d+)\b/g)) {
      if (!first.has(Number(id))) first.set(Number(id), i);
      last.set(Number(id), i);
    }
  });
  const candidates = storages.filter((storage) => storage.kind === 'temporary' && storage.fill === undefined && first.has(storage.id));
  const byStart = [...candidates].sort((a, b) => (first.get(a.id) ?? 0) - (first.get(b.id) ?? 0));
  const sizes: number[] = [];
  const freeFrom: number[] = [];
  const shared = new Map<number, number>();
  for (const storage of byStart) {
    const start = first.get(storage.id) ?? 0;
    // The smallest free array that is large enough, but not so large that it is better kept for a large value.
    const fit = sizes
      .map((size, slot) => ({ size, slot }))
      .filter(({ size, slot }) => item(freeFrom, slot) < start && size >= storage.size && size <= 2 * storage.size)
      .sort((a, b) => a.size - b.size)[0];
    const slot = fit?.slot ?? sizes.push(storage.size) - 1;
    freeFrom[slot] = last.get(storage.id) ?? start;
    shared.set(storage.id, slot);
  }
  return { sizes, shared };
}
