import type { Affine } from '../affine.js';
import { packLives } from '../memory.js';
import { LIMITS } from '../plan.js';
import type { LoopProgram, Storage } from '../program.js';
import { accessesOf } from './accesses.js';
import type { Region } from './code.js';
import type { Lanes } from './vectors.js';

/** A matrix with `count` columns kept column by column, each starting `pitch` elements after the one before. */
export type Columns = { readonly count: number; readonly rows: number; readonly pitch: number };

/** Where and how a storage is kept. */
export type Placement = {
  readonly storage: Storage;
  readonly elementBytes: 4 | 8;
  readonly columns: Columns | undefined;
  /** Number of elements, gaps between columns included. */
  readonly length: number;
  readonly region: Region;
};

export interface MemoryMap {
  /** The placement of a storage that is used now. */
  use(storage: Storage): Placement;
  /** Of the storages that anything uses. */
  readonly placements: ReadonlyMap<Storage, Placement>;
  /** Called before every item of the program: storages whose uses do not overlap may share memory. */
  advance(): void;
  /** Memory of its own. */
  reserve(bytes: number): Region;
  /** Decides all offsets. Returns the number of bytes. */
  assign(): number;
}

/** Loops may read this much past the end of a storage. */
const MARGIN = 64;
const aligned = (bytes: number): number => Math.ceil(bytes / 16) * 16 + MARGIN;

/**
 * A data matrix that loops read as x[i·K + c] is kept by column, where lanes are neighbours, if it is copied in only once:
 * constants, and inputs that stay the same over calls.
 */
function columnsOf(storage: Storage, loads: readonly (Affine | undefined)[], once: boolean): Columns | undefined {
  const inner = loads.find((index) => index !== undefined && index.terms.length > 0)?.terms.at(-1)?.[1] ?? 0;
  const fits = (index: Affine | undefined) =>
    index !== undefined && index.constant >= 0 && index.terms.every(([, coefficient]) => coefficient > 0 && coefficient % inner === 0);
  if (!once || inner < 2 || storage.size <= LIMITS.small || storage.size % inner !== 0 || !loads.every(fits)) return undefined;
  // A load with another innermost coefficient runs across rows or skips some.
  if (!loads.every((index) => index?.terms.length === 0 || index?.terms.at(-1)?.[1] === inner)) return undefined;
  const rows = storage.size / inner;
  return { count: inner, rows, pitch: Math.ceil(rows / 4) * 4 };
}

/** The index of an element in the layout of its placement. */
export function placed({ columns }: Placement, index: Affine): Affine {
  if (!columns) return index;
  const { count, pitch } = columns;
  return {
    constant: (index.constant % count) * pitch + Math.floor(index.constant / count),
    terms: index.terms.map(([variable, coefficient]) => [variable, coefficient / count] as const),
  };
}

export function memoryMap(program: LoopProgram, lanes: Lanes): MemoryMap {
  const { called, summed, copied, loads } = accessesOf(program);
  const fixed = new Set(program.fixed);
  const placements = new Map<Storage, Placement>();
  const uses = new Map<Storage, { first: number; last: number }>();
  const reserved: Region[] = [];
  let step = 0;
  const place = (storage: Storage): Placement => {
    const { kind, position, size, spill } = storage;
    // Short tensors and sums stay float64: they cost nothing and carry the accuracy.
    const narrow = lanes.bytes === 4 && size > LIMITS.small && !spill && !called.has(storage) && !summed.has(storage);
    const once = kind === 'constant' || (kind === 'input' && position !== undefined && fixed.has(position));
    const simple = !called.has(storage) && !copied.has(storage);
    const columns = columnsOf(storage, loads.get(storage) ?? [], once && simple);
    const elementBytes = narrow ? 4 : 8;
    const length = columns ? columns.count * columns.pitch : size;
    return { storage, elementBytes, columns, length, region: { bytes: length * elementBytes, offset: 0 } };
  };
  return {
    use(storage) {
      const placement = placements.get(storage) ?? place(storage);
      placements.set(storage, placement);
      const use = uses.get(storage) ?? { first: step, last: step };
      uses.set(storage, use);
      use.last = step;
      return placement;
    },
    placements,
    advance: () => void step++,
    reserve(bytes) {
      const region = { bytes, offset: 0 };
      reserved.push(region);
      return region;
    },
    assign() {
      let end = 0;
      const take = (bytes: number): number => {
        const offset = end;
        end += aligned(bytes);
        return offset;
      };
      for (const region of reserved) region.offset = take(region.bytes);
      const own = [...placements.values()];
      const shares = ({ storage: { kind, fill } }: Placement) => kind === 'temporary' && fill === undefined;
      for (const { region } of own.filter((placement) => !shares(placement))) region.offset = take(region.bytes);
      const lives = own.filter(shares).map(({ storage, region }) => {
        const { first, last } = uses.get(storage) ?? { first: 0, last: 0 };
        return { region, size: region.bytes, first, last };
      });
      const { sizes, slots } = packLives(lives);
      const offsets = sizes.map(take);
      for (const [{ region }, slot] of slots) region.offset = offsets[slot] ?? 0;
      return end;
    },
  };
}
