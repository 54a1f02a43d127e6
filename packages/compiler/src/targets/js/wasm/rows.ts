import { type Block, f64, get, i32, type Local, put, type Value } from './code.js';
import { simd } from './encode.js';
import type { Placement } from './memory-map.js';
import { bitOp, F64, I32, scalarOp, V128 } from './opcodes.js';
import { copyOf, type Vectors } from './vectors.js';

/** A computed row: whether it exists, and where it starts in bytes (0 if it does not). */
export type Row = { readonly valid: Local; readonly bytes: Local };

/** Number of rows of a storage that is read at computed ones. */
export const rowCount = ({ storage }: Placement, scale: number): number => (scale > 0 ? Math.floor(storage.size / scale) : 0);

/** A row given by one number. */
export function scalarRow(block: Block, row: Local, count: number, stride: number): Row {
  const valid = put(block, I32, [
    ...get(row),
    ...f64(0),
    scalarOp.greaterEqual,
    ...get(row),
    ...f64(count),
    scalarOp.less,
    scalarOp.i32And,
  ]);
  // The saturating conversion cannot trap.
  const safe = [...get(row), ...f64(0), ...get(valid), scalarOp.select, 0xfc, 0x02];
  return { valid, bytes: put(block, I32, [...safe, ...i32(stride), scalarOp.i32Mul]) };
}

/** Rows given by the lanes of a vector: a mask of those that exist, and where each lane's row starts. */
export type LaneRows = { readonly valid: Local; readonly bytes: readonly Local[] };

export function laneRows(v: Vectors, block: Block, rows: Value, copy: number, count: number, stride: number): LaneRows {
  const row = copyOf(rows, copy);
  const inside = v.bits('and', v.apply('greaterEqual', row, v.number(0)), v.apply('less', row, v.number(count)));
  const valid = copyOf(inside, 0);
  const safe = copyOf(v.apply('toI32', v.bits('and', inside, row)), 0);
  const bytes = Array.from({ length: v.lanes.width }, (_, lane) =>
    put(block, I32, [...get(safe), ...simd(bitOp.extractI32), lane, ...i32(stride), scalarOp.i32Mul]),
  );
  return { valid, bytes };
}

/** `loaded` where the row exists, else NaN. */
export const orNaN = (block: Block, loaded: Local, { valid }: Row): Local =>
  put(block, F64, [...get(loaded), ...f64(Number.NaN), ...get(valid), scalarOp.select]);
export const vectorOrNaN = (v: Vectors, block: Block, loaded: Local, { valid }: Row): Local =>
  put(block, V128, [...get(loaded), ...get(v.number(Number.NaN)), ...get(valid), scalarOp.select]);
