import type { Expression } from '../expression.js';
import type { Call, Loop, LoopProgram, Storage } from '../program.js';
import { reachable } from './accesses.js';
import { append, type Block, block, type Code, type FunctionReference, get, i32, type Local, put, type Region } from './code.js';
import { blockAt, type Emission } from './emission.js';
import { evaluator, type Handover } from './evaluator.js';
import { call, type Functions, functions } from './functions.js';
import { printLoop } from './loops.js';
import { storeScalar } from './memory-access.js';
import { memoryMap, type Placement } from './memory-map.js';
import { F64, scalarOp } from './opcodes.js';
import { type LaneName, lanes } from './vectors.js';

/** Parts of code in one function: engines take time for long ones, and refuse them above some megabytes. */
const FUNCTION_LENGTH = 60_000;

/** A module and how its memory is laid out. */
export type Emitted = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly memoryBytes: number;
  readonly placements: ReadonlyMap<Storage, Placement>;
  /** Where outputs that are scalars are. */
  readonly outputs: readonly (Region | undefined)[];
  /** Kernels on whole arrays and functions on numbers, by the names that the module imports. */
  readonly functions: Functions;
  readonly calls: ReadonlyMap<string, Call>;
};

/** The straight line of one function, and what runs at its end: scalars that other functions need go to memory. */
type Part = { readonly top: Block; readonly tail: Code };

/** A scalar of the whole program. */
type Scalar = { readonly part: Part; readonly value: Local; slot?: Region };

/** One module for a program. The same program gives the same bytes. */
export function emit(program: LoopProgram, options: { readonly lanes: LaneName; readonly fma: boolean }): Emitted {
  const kind = lanes[options.lanes];
  const memory = memoryMap(program, kind);
  const defined = functions(options.fma);
  const parts: Part[] = [];
  const start = (): Part => {
    const part = { top: block(), tail: [] };
    parts.push(part);
    return part;
  };
  let part = start();
  const emission: Emission = {
    lanes: kind,
    fma: options.fma,
    memory,
    functions: defined,
    blocks: [part.top],
    counters: [],
    copies: 1,
    live: kind.width,
  };
  const splitIfLong = () => {
    if (emission.blocks.length > 1 || part.top.code.length <= FUNCTION_LENGTH) return;
    part = start();
    emission.blocks = [part.top];
  };
  const scalars = new Map<string, Scalar>();
  const nameOf = (e: Expression) => (e.op === 'total' ? e.text : `%${e.id}`);
  const handover: Handover = {
    fetch(e) {
      const scalar = scalars.get(nameOf(e));
      if (!scalar || scalar.part === part) return scalar?.value;
      const known = part.top.known.get(nameOf(e));
      if (known) return known;
      if (!scalar.slot) {
        scalar.slot = memory.reserve(8);
        scalar.part.tail.push(...i32(0), ...get(scalar.value), scalarOp.storeF64, 3, { kind: 'offset', region: scalar.slot, extra: 0 });
      }
      const value = put(part.top, F64, [...i32(0), scalarOp.loadF64, 3, { kind: 'offset', region: scalar.slot, extra: 0 }]);
      part.top.known.set(nameOf(e), value);
      return value;
    },
    computed(e, value) {
      scalars.set(nameOf(e), { part, value });
      splitIfLong();
    },
  };
  const evaluate = evaluator(emission, handover);
  const calls = new Map<string, Call>();
  const spilled = new Set<Storage>();
  const spill = (level: number) => {
    for (const storage of program.storages) {
      if (!storage.spill || storage.level > level || spilled.has(storage)) continue;
      spilled.add(storage);
      storage.spill.forEach((value, k) => {
        const code = evaluate.scalar(value);
        const element = { placement: memory.use(storage), index: { constant: k, terms: [] } };
        append(blockAt(emission, 0).code, storeScalar(emission, element, code));
      });
    }
  };
  for (const item of program.items) {
    spill(item.level);
    memory.advance();
    if (item.kind === 'call') {
      for (const storage of [item.output, ...item.inputs]) memory.use(storage);
      const name = `${item.kernel} ${calls.size}`;
      calls.set(name, item);
      append(part.top.code, call(defined.host({ name, parameters: 0, call: () => {} })));
    } else {
      for (const value of outsideLoops(item)) evaluate.scalar(value);
      printLoop(emission, evaluate, item, (name, value) => scalars.set(name, { part, value }));
    }
    splitIfLong();
  }
  memory.advance();
  spill(Number.POSITIVE_INFINITY);
  const outputs = program.outputs.map(({ scalars: values, copy, size }) => {
    if (copy) memory.use(copy);
    if (!values) return undefined;
    const region = memory.reserve(8 * size);
    values.forEach((value, k) => {
      const code = evaluate.scalar(value);
      append(part.top.code, [...i32(0), ...code, scalarOp.storeF64, 3, { kind: 'offset', region, extra: 8 * k }]);
    });
    return region;
  });
  const run = finish(parts, defined);
  for (const storage of program.storages) if (storage.kind === 'output') memory.use(storage);
  const memoryBytes = memory.assign();
  return { bytes: defined.encode(run, memoryBytes), memoryBytes, placements: memory.placements, outputs, functions: defined, calls };
}

/** One function for all parts. */
function finish(parts: readonly Part[], defined: Functions): FunctionReference {
  const references = parts.map(({ top, tail }) => {
    append(top.code, tail);
    return defined.define(top.code);
  });
  const [only] = references;
  return references.length === 1 && only ? only : defined.define(references.flatMap(call));
}

/** Scalars of the whole program that a loop needs. */
function outsideLoops({ roots }: Loop): Expression[] {
  const values = roots.flatMap((root) => [root.value, ...(root.kind !== 'total' && root.place.dynamic ? [root.place.dynamic.row] : [])]);
  const inside = reachable(values, (e) => e.depth === 0);
  const used = [...values, ...[...inside].flatMap(({ args }) => args)];
  return [...new Set(used)].filter((e) => e.depth === 0);
}
