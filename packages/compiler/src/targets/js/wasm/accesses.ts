import type { Affine } from '../affine.js';
import type { Expression } from '../expression.js';
import type { LoopProgram, Storage } from '../program.js';

/** How a program reads and writes its arrays, found before any of it is printed. */
export type Accesses = {
  /** Storages that kernels on whole arrays read or write. */
  readonly called: ReadonlySet<Storage>;
  /** Storages that sums go into. */
  readonly summed: ReadonlySet<Storage>;
  /** Storages that are an output as they are. */
  readonly copied: ReadonlySet<Storage>;
  /** Index of every load; undefined if some row is computed. */
  readonly loads: ReadonlyMap<Storage, readonly (Affine | undefined)[]>;
};

/** Every expression that `values` need, each once. */
export function reachable(values: Iterable<Expression>, stop: (e: Expression) => boolean = () => false): Set<Expression> {
  const seen = new Set<Expression>();
  const stack = [...values];
  for (let e = stack.pop(); e !== undefined; e = stack.pop()) {
    if (seen.has(e) || stop(e)) continue;
    seen.add(e);
    stack.push(...e.args);
  }
  return seen;
}

export function accessesOf(program: LoopProgram): Accesses {
  const called = new Set<Storage>();
  const summed = new Set<Storage>();
  const values: Expression[] = program.storages.flatMap(({ spill }) => spill ?? []);
  for (const item of program.items) {
    if (item.kind === 'call') for (const storage of [item.output, ...item.inputs]) called.add(storage);
    else
      for (const root of item.roots) {
        values.push(root.value);
        if (root.kind !== 'total' && root.place.dynamic) values.push(root.place.dynamic.row);
        if (root.kind === 'accumulate') summed.add(root.place.storage);
      }
  }
  for (const { scalars } of program.outputs) values.push(...(scalars ?? []));
  const loads = new Map<Storage, (Affine | undefined)[]>();
  for (const { load, args } of reachable(values)) {
    if (load) loads.set(load.storage, [...(loads.get(load.storage) ?? []), args.length > 0 ? undefined : load.index]);
  }
  return { called, summed, copied: new Set(program.outputs.flatMap(({ copy }) => copy ?? [])), loads };
}
