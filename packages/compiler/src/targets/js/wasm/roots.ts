import type { Place, Root } from '../program.js';
import { append, type Code, get, type Local, put, set, type Value } from './code.js';
import { blockAt, type Emission, innermost, vectorsAt } from './emission.js';
import { simd } from './encode.js';
import type { Evaluator } from './evaluator.js';
import { type Element, laneOf, storeScalar, storeVector } from './memory-access.js';
import { bitOp, F64, scalarOp } from './opcodes.js';
import { type Accumulator, accumulate, accumulateScalar, accumulateVector } from './reductions.js';
import { laneRows, rowCount, scalarRow } from './rows.js';
import { copyOf, isCopies } from './vectors.js';

/** One iteration of a root without loops around it, on scalars. */
export function printScalarRoot(emission: Emission, evaluate: Evaluator, root: Root, totals: (name: string, value: Local) => void): void {
  const value = evaluate.scalar(root.value);
  const block = blockAt(emission, 0);
  if (root.kind === 'total') {
    totals(root.name, put(block, F64, value));
    return;
  }
  const { element, valid } = scalarPlace(emission, evaluate, root.place);
  // What is accumulated once is itself: the storage holds the neutral element.
  const code = root.kind === 'accumulate' ? accumulateScalar(emission, root.reduce, element, value) : storeScalar(emission, element, value);
  append(block.code, guarded(code, valid));
}

const guarded = (code: Code, valid: Local | undefined): Code => (valid ? [...get(valid), scalarOp.if, 0x40, ...code, scalarOp.end] : code);

type ScalarPlace = { readonly element: Element; readonly valid?: Local };

/** A place whose row, if it has one, is a scalar. */
function scalarPlace(emission: Emission, evaluate: Evaluator, { storage, index, dynamic }: Place): ScalarPlace {
  const placement = emission.memory.use(storage);
  if (!dynamic) return { element: { placement, index } };
  const block = blockAt(emission, dynamic.row.depth);
  const row = put(block, F64, evaluate.scalar(dynamic.row));
  const count = Math.min(dynamic.count, rowCount(placement, dynamic.scale));
  const { valid, bytes } = scalarRow(block, row, count, dynamic.scale * placement.elementBytes);
  return { element: { placement, index, row: bytes }, valid };
}

/** One turn of the innermost loop for a root, on lanes. */
export function printVectorRoot(emission: Emission, evaluate: Evaluator, root: Root, accumulator: Accumulator | undefined): void {
  const depth = innermost(emission);
  const { code } = blockAt(emission, depth);
  if (accumulator?.reduce === 'Sum' && sumsProduct(emission, root)) {
    const factors = root.value.args.map(evaluate.vector);
    const { lanes, copies } = emission;
    for (let copy = 0; copy < copies; copy++)
      append(code, [
        ...factors.flatMap((factor) => get(copyOf(factor, copy))),
        ...get(accumulator.partial),
        ...lanes.code('madd'),
        ...set(accumulator.partial),
      ]);
    return;
  }
  const value = evaluate.vector(root.value);
  const values = Array.from({ length: emission.copies }, (_, copy) => copyOf(value, copy));
  if (root.kind === 'total' || root.kind === 'inner') {
    if (accumulator) append(code, accumulate(emission, accumulator, values));
    return;
  }
  for (const [copy, own] of values.entries()) {
    const { dynamic } = root.place;
    if (dynamic && dynamic.row.depth === depth) scatter(emission, evaluate, root, own, copy);
    else {
      const { element, valid } = scalarPlace(emission, evaluate, root.place);
      const update =
        root.kind === 'accumulate'
          ? accumulateVector(emission, root.reduce, element, own, copy)
          : storeVector(emission, element, own, copy);
      append(code, guarded(update, valid));
    }
  }
}

/** Whether what a sum adds are products of all lanes, where that is one instruction. */
const sumsProduct = ({ fma, live, lanes, blocks }: Emission, root: Root): boolean =>
  fma && live === lanes.width && root.value.op === 'Mul' && root.value.depth === blocks.length - 1;

/** Each lane into a row of its own. */
function scatter(emission: Emission, evaluate: Evaluator, root: Root & { readonly place: Place }, value: Local, copy: number): void {
  const { storage, index, dynamic } = root.place;
  if (!dynamic) return;
  const block = blockAt(emission, innermost(emission));
  const placement = emission.memory.use(storage);
  const rows: Value = evaluate.vector(dynamic.row);
  const v = vectorsAt(emission, innermost(emission));
  const count = Math.min(dynamic.count, rowCount(placement, dynamic.scale));
  const found = laneRows(v, block, rows, isCopies(rows) ? copy : 0, count, dynamic.scale * placement.elementBytes);
  const lanes = found.bytes.map((bytes, lane) => ({ bytes, valid: laneIsValid(emission, found.valid, lane) }));
  if (root.kind === 'accumulate') append(block.code, accumulateVector(emission, root.reduce, { placement, index }, value, copy, lanes));
  else
    for (const [lane, { bytes, valid }] of lanes.slice(0, emission.live).entries()) {
      const store = storeScalar(emission, { placement, index, row: bytes }, laneOf(emission, value, lane));
      append(block.code, [...valid, scalarOp.if, 0x40, ...store, scalarOp.end]);
    }
}

/** Whether a lane of a mask is set: the lowest 32 bits of the lane say so. */
const laneIsValid = ({ lanes: { bytes } }: Emission, mask: Local, lane: number): Code => [
  ...get(mask),
  ...simd(bitOp.extractI32),
  (lane * bytes) / 4,
];
