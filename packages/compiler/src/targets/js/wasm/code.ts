import { float64Bytes, signed, unsigned } from './encode.js';
import { F64, I32, scalarOp, V128, type ValueType } from './opcodes.js';

/** A variable of a function, numbered when the function is finished. */
export type Local = { readonly kind: 'local'; readonly type: ValueType; readonly parameter?: number };

/** A stretch of memory whose place is decided when the program is complete. */
export type Region = { readonly bytes: number; offset: number };

/** What a call refers to: numbered when all imports are known. */
export type FunctionReference = { readonly kind: 'function'; index: number };

/** Bytes, and what becomes bytes when the module is complete. */
export type Part =
  | number
  | Local
  | FunctionReference
  /** The constant part of an address, as an immediate (`offset`) or as a constant on the stack (`address`). */
  | { readonly kind: 'offset' | 'address'; readonly region: Region; readonly extra: number }
  | { readonly kind: 'loop' | 'end' };
export type Code = Part[];

/** One variable, or one per interleaved copy of a loop body: operations go through the copies in turn. */
export type Value = Local | readonly Local[];

/** Straight-line code with what it has computed: by a key (`known`), and expressions by form and number (`values`). */
export type Block = { readonly code: Code; readonly known: Map<string, Local>; readonly values: Map<string, Value> };
export const block = (): Block => ({ code: [], known: new Map(), values: new Map() });

export const local = (type: ValueType): Local => ({ kind: 'local', type });
export const get = (variable: Local): Code => [scalarOp.localGet, variable];
export const set = (variable: Local): Code => [scalarOp.localSet, variable];
export const i32 = (value: number): Code => [scalarOp.i32Const, ...signed(value)];
export const f64 = (value: number): Code => [scalarOp.f64Const, ...float64Bytes(value)];

/** Appends code; not `push(...code)`, whose arguments live on the stack. */
export function append(code: Code, more: readonly Part[]): void {
  for (const part of more) code.push(part);
}

/** A new variable for what `code` leaves on the stack. */
export function put({ code }: Block, type: ValueType, instructions: readonly Part[]): Local {
  const result = local(type);
  append(code, instructions);
  code.push(scalarOp.localSet, result);
  return result;
}

/** The same, computed once per block and key. */
export function once(target: Block, key: string, type: ValueType, instructions: () => readonly Part[]): Local {
  const found = target.known.get(key);
  if (found) return found;
  const made = put(target, type, instructions());
  target.known.set(key, made);
  return made;
}

/** `body` while the counter, increased by `step` after each turn, is below `end`; at least once. */
export function repeat(counter: Local, step: number, end: number | Local, body: readonly Part[]): Code {
  const code: Code = [{ kind: 'loop' }];
  append(code, body);
  append(code, [...get(counter), ...i32(step), scalarOp.i32Add, ...set(counter)]);
  const limit = typeof end === 'number' ? i32(end) : get(end);
  append(code, [...get(counter), ...limit, scalarOp.i32Less, scalarOp.branchIf, 0, { kind: 'end' }]);
  return code;
}

type Range = { readonly local: Local; readonly first: number; last: number };

/** From where to where every local is needed. One that enters a loop from outside is needed until the loop ends. */
function liveRanges(code: Code): Range[] {
  const ranges = new Map<Local, Range>();
  const loops: { readonly start: number; readonly entered: Set<Range> }[] = [];
  code.forEach((part, position) => {
    if (typeof part === 'number') return;
    if (part.kind === 'loop') loops.push({ start: position, entered: new Set() });
    if (part.kind === 'end') for (const range of loops.pop()?.entered ?? []) range.last = position;
    if (part.kind !== 'local' || part.parameter !== undefined) return;
    const range = ranges.get(part) ?? { local: part, first: position, last: position };
    ranges.set(part, range);
    range.last = position;
    loops.find(({ start }) => start > range.first)?.entered.add(range);
  });
  return [...ranges.values()];
}

/** Numbers locals so that those whose lives do not overlap share one: engines allow 50 000 and take time for each. */
function numbered(code: Code, parameters: number): { readonly index: ReadonlyMap<Local, number>; readonly counts: readonly number[] } {
  const types = [I32, F64, V128] as const;
  const ranges = liveRanges(code);
  const slots = new Map<Local, number>();
  const counts = types.map((type) => {
    const freeAt = new Map<number, number[]>();
    const free: number[] = [];
    let count = 0;
    let swept = 0;
    for (const { local: variable, first, last } of ranges.filter((range) => range.local.type === type)) {
      for (; swept < first; swept++) {
        const freed = freeAt.get(swept);
        if (freed) free.push(...freed);
      }
      const slot = free.pop() ?? count++;
      slots.set(variable, slot);
      freeAt.set(last, [...(freeAt.get(last) ?? []), slot]);
    }
    return count;
  });
  const start = types.map((_, i) => parameters + counts.slice(0, i).reduce((a, b) => a + b, 0));
  const index = new Map([...slots].map(([variable, slot]) => [variable, slot + (start[types.indexOf(variable.type)] ?? 0)]));
  return { index, counts };
}

/** Declarations and instructions of a function, when regions and functions have their numbers. */
export function encodeFunction(code: Code, parameters = 0): number[] {
  const { index, counts } = numbered(code, parameters);
  const bytes = [3, ...[I32, F64, V128].flatMap((type, i) => [...unsigned(counts[i] ?? 0), type])];
  for (const part of code) {
    if (typeof part === 'number') bytes.push(part);
    else if (part.kind === 'local') bytes.push(...unsigned(part.parameter ?? index.get(part) ?? 0));
    else if (part.kind === 'function') bytes.push(...unsigned(part.index));
    else if (part.kind === 'offset') bytes.push(...unsigned(part.region.offset + part.extra));
    else if (part.kind === 'address') bytes.push(...signed(part.region.offset + part.extra));
    else if (part.kind === 'loop') bytes.push(0x03, 0x40);
    else bytes.push(scalarOp.end);
  }
  bytes.push(scalarOp.end);
  return bytes;
}
