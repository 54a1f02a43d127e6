import type { Affine } from '../affine.js';
import { type Code, get, type Local, put } from './code.js';
import { addressOf, blockAt, type Emission, innermost, vectorsAt } from './emission.js';
import { simd } from './encode.js';
import { type Placement, placed } from './memory-map.js';
import { bitOp, scalarOp, V128 } from './opcodes.js';

/** What an element's address consists of. `row` holds bytes. */
export type Element = { readonly placement: Placement; readonly index: Affine; readonly row?: Local | undefined };

/** Elements between neighbouring lanes: how far one step of the innermost loop moves. */
export function laneStride(emission: Emission, { placement, index }: Element): number {
  const variable = innermost(emission) - 1;
  return placed(placement, index).terms.find(([v]) => v === variable)?.[1] ?? 0;
}

/** Reads one float64, `extra` elements further on. Leaves it on the stack. */
export function loadScalar(emission: Emission, { placement, index, row }: Element, extra = 0): Code {
  const { base, immediate } = addressOf(emission, placement, placed(placement, index), extra, row);
  return placement.elementBytes === 8
    ? [...base, scalarOp.loadF64, ...immediate]
    : [...base, scalarOp.loadF32, ...immediate, scalarOp.promote];
}

/** Writes one float64 that `value` leaves on the stack. */
export function storeScalar(emission: Emission, { placement, index, row }: Element, value: Code, extra = 0): Code {
  const { base, immediate } = addressOf(emission, placement, placed(placement, index), extra, row);
  return placement.elementBytes === 8
    ? [...base, ...value, scalarOp.storeF64, ...immediate]
    : [...base, ...value, scalarOp.demote, scalarOp.storeF32, ...immediate];
}

/** Two float64 vectors as one of float32, and the halves of one of float32. */
const joinHalves = (low: Code, high: Code): Code => [
  ...low,
  ...simd(bitOp.demote),
  ...high,
  ...simd(bitOp.demote),
  ...simd(bitOp.shuffle),
  ...[0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
];
export const lowHalf = (value: Local): Code => [...get(value), ...simd(bitOp.promote)];
export const highHalf = (value: Local): Code => [
  ...get(value),
  ...get(value),
  ...simd(bitOp.shuffle),
  ...[8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15],
  ...simd(bitOp.promote),
];

/** Lane `lane` of a vector as a float64 on the stack. */
export const laneOf = ({ lanes }: Emission, value: Local, lane: number): Code => [
  ...get(value),
  ...lanes.code('extract'),
  lane,
  ...(lanes.bytes === 4 ? [scalarOp.promote] : []),
];

/** `vector` with a float64 from the stack put into a lane. */
export const withLane = ({ lanes }: Emission, vector: Code, lane: number, value: Code): Code => [
  ...vector,
  ...value,
  ...(lanes.bytes === 4 ? [scalarOp.demote] : []),
  ...lanes.code('replace'),
  lane,
];

/**
 * A vector of elements of neighbouring iterations, from `copy·width` iterations further on. Only live lanes are read;
 * `rows` gives each lane a row of its own.
 */
export function loadVector(emission: Emission, element: Element, copy: number, rows?: readonly Local[]): Local {
  const { lanes, live } = emission;
  const { width } = lanes;
  const { placement, index } = element;
  const block = blockAt(emission, innermost(emission));
  const stride = laneStride(emission, element);
  const at = (lane: number) =>
    addressOf(emission, placement, placed(placement, index), (copy * width + lane) * stride, rows?.[lane] ?? element.row);
  const whole = stride === 1 && live === width && !rows;
  const wide = placement.elementBytes === 8;
  const load = (lane: number): Code => {
    const { base, immediate } = at(lane);
    return [...base, ...simd(bitOp.load), ...immediate];
  };
  if (placement.elementBytes !== lanes.bytes) {
    if (whole) return put(block, V128, joinHalves(load(0), load(2)));
    let code: Code = get(vectorsAt(emission, 0).number(0));
    for (let lane = 0; lane < live; lane++)
      code = withLane(
        emission,
        code,
        lane,
        loadScalar(emission, { ...element, row: rows?.[lane] ?? element.row }, (copy * width + lane) * stride),
      );
    return put(block, V128, code);
  }
  if (whole) return put(block, V128, load(0));
  const first = at(0);
  let code: Code = [...first.base, ...simd(wide ? bitOp.load64Splat : bitOp.load32Splat), ...first.immediate];
  for (let lane = 1; lane < live && (stride !== 0 || rows); lane++) {
    const { base, immediate } = at(lane);
    code = [...base, ...code, ...simd(wide ? bitOp.load64Lane : bitOp.load32Lane), ...immediate, lane];
  }
  return put(block, V128, code);
}

/** Writes the live lanes of a vector to elements of neighbouring iterations. */
export function storeVector(emission: Emission, element: Element, value: Local, copy: number): Code {
  const { lanes, live } = emission;
  const { width } = lanes;
  const { placement, index, row } = element;
  const stride = laneStride(emission, element);
  const at = (lane: number) => addressOf(emission, placement, placed(placement, index), (copy * width + lane) * stride, row);
  const whole = stride === 1 && live === width;
  const store = (lane: number, vector: Code): Code => {
    const { base, immediate } = at(lane);
    return [...base, ...vector, ...simd(bitOp.store), ...immediate];
  };
  if (whole && placement.elementBytes === lanes.bytes) return store(0, get(value));
  if (whole) return [...store(0, lowHalf(value)), ...store(2, highHalf(value))];
  return Array.from({ length: live }, (_, lane) =>
    storeScalar(emission, element, laneOf(emission, value, lane), (copy * width + lane) * stride),
  ).flat();
}
