import type { Reduce } from '../../../ir/index.js';
import { NEUTRAL } from '../program.js';
import { append, type Code, get, i32, type Local, local, put, repeat, set } from './code.js';
import { addressOf, blockAt, type Emission, innermost } from './emission.js';
import { simd } from './encode.js';
import { accumulateLogs, clearLogs, type LogAccumulator, logsOf, takeLarge } from './log-sums.js';
import { liveMask } from './masks.js';
import { type Element, highHalf, laneOf, laneStride, loadScalar, lowHalf, storeScalar } from './memory-access.js';
import { type Placement, placed } from './memory-map.js';
import { bitOp, F64, I32, type LaneOp, scalarOp } from './opcodes.js';
import { type Lanes, lanes, splatNumber } from './vectors.js';

const OPERATION = { Sum: 'add', Prod: 'mul', Max: 'max', Min: 'min' } as const satisfies Readonly<Record<Reduce, LaneOp>>;

/** a ∘ b on float64 numbers that are on the stack, or on lanes. */
export const combine = (reduce: Reduce): Code => [scalarOp[OPERATION[reduce]]];
const combineLanes = (kind: Lanes, reduce: Reduce): Code => kind.code(OPERATION[reduce]);

/** Where a loop reduces to: partial results in lanes, and for long loops with float32 lanes float64 ones besides. */
export type Accumulator = { readonly reduce: Reduce; readonly partial: Local; readonly wide: Local | undefined } | LogAccumulator;

/** Sets an accumulator to the neutral element. */
export function clear(kind: Lanes, accumulator: Accumulator): Code {
  if (accumulator.reduce === 'SumLog1p') return clearLogs(kind, accumulator);
  const { reduce, partial, wide } = accumulator;
  return [
    ...splatNumber(kind, NEUTRAL[reduce]),
    ...set(partial),
    ...(wide ? [...splatNumber(lanes.f64x2, NEUTRAL[reduce]), ...set(wide)] : []),
  ];
}

/** A vector whose lanes that are not live are the neutral element. */
function masked({ lanes: kind, live }: Emission, reduce: Reduce, value: Local): Code {
  if (live === kind.width) return get(value);
  return [...get(value), ...splatNumber(kind, NEUTRAL[reduce]), ...liveMask(live, kind.bytes), ...simd(bitOp.select)];
}

/**
 * Adds the values of all copies to an accumulator. They are added to each other first: an accumulator per copy would take
 * registers away, and one that is kept in memory costs its latency once per turn this way.
 */
export function accumulate(emission: Emission, accumulator: Accumulator, values: readonly Local[]): Code {
  if (accumulator.reduce === 'SumLog1p') return accumulateLogs(emission, accumulator, values);
  const { reduce, partial } = accumulator;
  const operation = combineLanes(emission.lanes, reduce);
  const sums = values.flatMap((value, i) => [...masked(emission, reduce, value), ...(i > 0 ? operation : [])]);
  return [...sums, ...get(partial), ...operation, ...set(partial)];
}

/** Adds float32 partial results to float64 ones and clears them, so that long sums do not lose digits; takes logarithms. */
export function widen(emission: Emission, accumulator: Accumulator): Code {
  if (accumulator.reduce === 'SumLog1p') return takeLarge(emission, accumulator);
  const { lanes: kind } = emission;
  const { reduce, partial, wide } = accumulator;
  if (!wide) return [];
  const halves = [lowHalf(partial), highHalf(partial)];
  const code = halves.flatMap((half) => [...get(wide), ...half, ...combineLanes(lanes.f64x2, reduce), ...set(wide)]);
  return [...code, ...splatNumber(kind, NEUTRAL[reduce]), ...set(partial)];
}

/** The result of an accumulator on the stack, in float64 whatever the lanes. */
export function horizontal(emission: Emission, accumulator: Accumulator): Code {
  if (accumulator.reduce === 'SumLog1p') return logsOf(emission, accumulator);
  const { reduce, partial, wide } = accumulator;
  if (wide) {
    const half = (lane: number) => [...get(wide), ...lanes.f64x2.code('extract'), lane];
    return [...widen(emission, accumulator), ...half(0), ...half(1), ...combine(reduce)];
  }
  const results = Array.from({ length: emission.lanes.width }, (_, lane) => [
    ...laneOf(emission, partial, lane),
    ...(lane > 0 ? combine(reduce) : []),
  ]);
  return results.flat();
}

/** Fills storage with the neutral element; the margin after it takes what goes past the end. */
export function fill(placement: Placement, reduce: Reduce): Code {
  const kind = placement.elementBytes === 8 ? lanes.f64x2 : lanes.f32x4;
  const counter = local(I32);
  const { region } = placement;
  const store: Code = [
    ...get(counter),
    ...splatNumber(kind, NEUTRAL[reduce]),
    ...simd(bitOp.store),
    2,
    { kind: 'offset', region, extra: 0 },
  ];
  return [...i32(0), ...set(counter), ...repeat(counter, 16, region.bytes, store)];
}

/** Combines one number on the stack with an element in memory. */
export function accumulateScalar(emission: Emission, reduce: Reduce, element: Element, value: Code, extra = 0): Code {
  return storeScalar(emission, element, [...loadScalar(emission, element, extra), ...value, ...combine(reduce)], extra);
}

/** Combines the live lanes of a vector with elements in memory. Lanes may meet in one element: one after the other then. */
export function accumulateVector(
  emission: Emission,
  reduce: Reduce,
  element: Element,
  value: Local,
  copy: number,
  rows?: readonly { readonly valid: Code; readonly bytes: Local }[],
): Code {
  const { lanes: kind, live } = emission;
  const { placement, index, row } = element;
  const stride = laneStride(emission, element);
  if (stride === 1 && live === kind.width && !rows) {
    const wide = lanes.f64x2;
    const halves = kind.width === 2 ? [get(value)] : [lowHalf(value), highHalf(value)];
    return halves.flatMap((half, i) => {
      const { base, immediate } = addressOf(emission, placement, placed(placement, index), copy * kind.width + 2 * i, row);
      const sum = [...base, ...simd(bitOp.load), ...immediate, ...half, ...combineLanes(wide, reduce)];
      return [...base, ...sum, ...simd(bitOp.store), ...immediate];
    });
  }
  const code: Code = [];
  const block = blockAt(emission, innermost(emission));
  for (let lane = 0; lane < live; lane++) {
    const one = put(block, F64, laneOf(emission, value, lane));
    const own = rows?.[lane];
    const update = accumulateScalar(
      emission,
      reduce,
      { ...element, row: own?.bytes ?? row },
      get(one),
      (copy * kind.width + lane) * stride,
    );
    append(code, own ? [...own.valid, scalarOp.if, 0x40, ...update, scalarOp.end] : update);
  }
  return code;
}
