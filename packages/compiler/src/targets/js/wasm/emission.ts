import { item } from '../../../ir/shape.js';
import type { Affine } from '../affine.js';
import { type Block, type Code, get, i32, type Local, once, type Part } from './code.js';
import { unsigned } from './encode.js';
import type { Functions } from './functions.js';
import type { MemoryMap, Placement } from './memory-map.js';
import { I32, scalarOp } from './opcodes.js';
import { type Lanes, type Vectors, vectors } from './vectors.js';

/** A program on its way to WebAssembly: where code goes at the moment. */
export type Emission = {
  readonly lanes: Lanes;
  readonly fma: boolean;
  readonly memory: MemoryMap;
  readonly functions: Functions;
  /** The straight line of the current function, then the bodies of the loops around, outermost first. */
  blocks: readonly Block[];
  /** Counters of these loops. */
  counters: readonly Local[];
  /** Interleaved copies of the innermost body; each handles `lanes.width` further elements. */
  copies: number;
  /** Lanes in use: fewer in the last turn of a loop. */
  live: number;
};

export const blockAt = (emission: Emission, depth: number): Block => item(emission.blocks, depth);
export const innermost = ({ blocks }: Emission): number => blocks.length - 1;

/** Vector operations at a depth. Constants stay outside all loops. */
export const vectorsAt = ({ blocks, lanes, fma }: Emission, depth: number): Vectors =>
  vectors({ block: item(blocks, depth), constants: item(blocks, 0), lanes, fma });

/** What stands before and inside a memory instruction. */
export type Address = {
  readonly base: Code;
  /** Alignment and offset; the instruction's opcode comes between `base` and this. */
  readonly immediate: readonly Part[];
};

/** Bytes that the loop variables contribute, computed in the outermost loop that can. */
function variablePart(emission: Emission, terms: Affine['terms'], bytes: number): Local | undefined {
  const [variable, coefficient] = terms.at(-1) ?? [];
  if (variable === undefined || coefficient === undefined) return undefined;
  return once(blockAt(emission, variable + 1), `address ${bytes} ${terms.join(' ')}`, I32, () => {
    const outer = variablePart(emission, terms.slice(0, -1), bytes);
    const own = [...get(item(emission.counters, variable)), ...i32(coefficient * bytes), scalarOp.i32Mul];
    return outer ? [...get(outer), ...own, scalarOp.i32Add] : own;
  });
}

/** The address of an element, `extra` elements further on, plus the bytes in `row`. */
export function addressOf(emission: Emission, { region, elementBytes }: Placement, index: Affine, extra: number, row?: Local): Address {
  const variable = variablePart(emission, index.terms, elementBytes);
  const start = (index.constant + extra) * elementBytes;
  const alignment = elementBytes === 8 ? 3 : 2;
  const base: Code = variable ? get(variable) : i32(0);
  if (row) base.push(...get(row), scalarOp.i32Add);
  const immediate = start >= 0 && index.terms.every(([, coefficient]) => coefficient >= 0);
  if (immediate) return { base, immediate: [alignment, { kind: 'offset', region, extra: start }] };
  // Offsets are added without wrapping round, so what may be negative is added by an instruction.
  base.push(scalarOp.i32Const, { kind: 'address', region, extra: start }, scalarOp.i32Add);
  return { base, immediate: [alignment, ...unsigned(0)] };
}
