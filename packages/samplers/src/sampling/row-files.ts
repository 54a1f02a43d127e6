import { CheckpointError, type CheckpointStore, decodeSafetensors, encodeSafetensors, type SafetensorsEntry } from '@bpc/core';
import { concatRows, noRows, type Rows, type RowWidths } from './rows.js';

/** Numbers in a file of rows before the next one is begun: 4 MiB. What is smaller is written anew with the rows that follow. */
const FULL = 2 ** 19;

const PARTS = ['unconstrained', 'values', 'statistics'] as const;

/** The rows of a run in files: few large ones, and one that is replaced as it grows. */
export interface RowFiles {
  /** Rows that follow the others of the chain. */
  add(chain: number, rows: Rows): void;
  /** Marks the chain's rows so far as belonging to a state that is saved. */
  commit(chain: number): void;
  /** Writes rows that are marked and not written yet. The names of all files that hold rows, in order. */
  write(): Promise<readonly string[]>;
  /** Removes files of this name that are not among `names`: those that were replaced, and those of a run that was killed. */
  clean(names: readonly string[]): Promise<void>;
  /** All rows of `names`, per chain. @throws CheckpointError if a file is missing or damaged. */
  load(names: readonly string[], chains: number): Promise<{ readonly chain: number; readonly rows: Rows }[]>;
}

function encode(rows: ReadonlyMap<number, Rows>, widths: RowWidths): Uint8Array {
  const tensors: Record<string, SafetensorsEntry> = {};
  for (const [chain, own] of rows) {
    for (const part of PARTS) tensors[`${chain}/${part}`] = { dtype: 'F64', shape: [own.count, widths[part]], data: own[part] };
  }
  return encodeSafetensors(tensors);
}

function decode(bytes: Uint8Array, name: string, widths: RowWidths): Map<number, Rows> {
  const rows = new Map<number, Rows>();
  for (const [path, { data, shape }] of decodeSafetensors(bytes).tensors) {
    const slash = path.indexOf('/');
    const chain = Number(path.slice(0, slash));
    const part = PARTS.find((each) => each === path.slice(slash + 1));
    const [count = -1, width] = shape;
    const own = rows.get(chain) ?? { ...noRows(), count };
    if (part === undefined || !(data instanceof Float64Array) || width !== widths[part] || own.count !== count) {
      throw new CheckpointError(`'${name}' is no file of this run's draws`, 'remove the files of the run, and start anew');
    }
    rows.set(chain, { ...own, [part]: data });
  }
  return rows;
}

/** The files of one run. */
export function rowFiles(store: CheckpointStore, name: string, widths: RowWidths): RowFiles {
  const pattern = (file: string): boolean => file.startsWith(`${name}-`) && /^\d+\.rows\.safetensors$/.test(file.slice(name.length + 1));
  const added = new Map<number, Rows[]>();
  const committed = new Map<number, Rows[]>();
  const full: string[] = [];
  /** Rows of the file that still grows. */
  let growing = new Map<number, Rows>();
  let growingName: string | undefined;
  let next = 0;

  return {
    add(chain, rows) {
      if (rows.count === 0) return;
      const list = added.get(chain) ?? [];
      added.set(chain, list);
      list.push(rows);
    },
    commit(chain) {
      const list = committed.get(chain) ?? [];
      committed.set(chain, list);
      list.push(...(added.get(chain)?.splice(0) ?? []));
    },
    async write() {
      const fresh = [...committed].filter(([, rows]) => rows.length > 0);
      if (fresh.length > 0) {
        const grown = new Map(growing);
        for (const [chain, rows] of fresh) {
          const before = grown.get(chain);
          grown.set(chain, concatRows([...(before === undefined ? [] : [before]), ...rows]));
        }
        const file = `${name}-${next}.rows.safetensors`;
        // Rows count as written only afterwards: should the write fail, the next one has them.
        const taken = fresh.map(([chain, rows]) => [chain, rows.length] as const);
        await store.write(file, encode(grown, widths));
        next += 1;
        for (const [chain, count] of taken) committed.get(chain)?.splice(0, count);
        const numbers = [...grown.values()].reduce((sum, rows) => sum + PARTS.reduce((all, part) => all + rows[part].length, 0), 0);
        if (numbers >= FULL) {
          full.push(file);
          growing = new Map();
          growingName = undefined;
        } else {
          growing = grown;
          growingName = file;
        }
      }
      return [...full, ...(growingName === undefined ? [] : [growingName])];
    },
    async clean(names) {
      for (const file of await store.list()) if (pattern(file) && !names.includes(file)) await store.remove(file);
    },
    async load(names, chains) {
      const found = Array.from({ length: chains }, (): Rows[] => []);
      for (const file of names) {
        const bytes = await store.read(file);
        if (bytes === undefined) throw new CheckpointError(`'${file}' is missing`, 'restore it, or remove the other files and start anew');
        for (const [chain, rows] of decode(bytes, file, widths)) found[chain]?.push(rows);
        full.push(file);
        next = Math.max(next, Number.parseInt(file.slice(name.length + 1), 10) + 1);
      }
      return found.map((rows, chain) => ({ chain, rows: concatRows(rows) }));
    },
  };
}
