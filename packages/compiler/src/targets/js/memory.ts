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
  const lives = candidates.map(({ id, size }) => ({ id, size, first: first.get(id) ?? 0, last: last.get(id) ?? 0 }));
  const { sizes, slots } = packLives(lives);
  return { sizes, shared: new Map([...slots].map(([{ id }, slot]) => [id, slot])) };
}

/** Something that needs `size` from its first to its last use, both included. */
export type Life = { readonly size: number; readonly first: number; readonly last: number };

/** Slots for lives, one slot for several that do not overlap: sizes of the slots, and the slot of every life. */
export function packLives<L extends Life>(
  lives: readonly L[],
): { readonly sizes: readonly number[]; readonly slots: ReadonlyMap<L, number> } {
  const sizes: number[] = [];
  const freeFrom: number[] = [];
  const slots = new Map<L, number>();
  for (const life of [...lives].sort((a, b) => a.first - b.first)) {
    // The smallest free slot that is large enough, but not so large that it is better kept for a large value.
    const fit = sizes
      .map((size, slot) => ({ size, slot }))
      .filter(({ size, slot }) => item(freeFrom, slot) < life.first && size >= life.size && size <= 2 * life.size)
      .sort((a, b) => a.size - b.size)[0];
    const slot = fit?.slot ?? sizes.push(life.size) - 1;
    freeFrom[slot] = life.last;
    slots.set(life, slot);
  }
  return { sizes, slots };
}
