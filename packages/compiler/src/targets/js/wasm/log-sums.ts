import { type Code, f64, get, type Local, local, put, set } from './code.js';
import { blockAt, type Emission, innermost } from './emission.js';
import { simd } from './encode.js';
import { call } from './functions.js';
import { liveMask } from './masks.js';
import { laneOf } from './memory-access.js';
import { bitOp, F64, scalarOp, V128 } from './opcodes.js';
import { type LaneName, type Lanes, splatNumber } from './vectors.js';

/** Σ log(1 + t) for 0 ≤ t ≤ 1: a running Π(1 + t) − 1 per lane, and in float64 the sum of the logarithms taken so far. */
export type LogAccumulator = { readonly reduce: 'SumLog1p'; readonly product: Local; readonly sum: Local };

export const logAccumulator = (): LogAccumulator => ({ reduce: 'SumLog1p', product: local(V128), sum: local(F64) });

/**
 * From where on products are replaced by their logarithm, and how many terms may follow before that is asked again. A term doubles a
 * product at most, and the lanes are multiplied before their one logarithm: 2·(200 + 256) and 4·(40 + 64) stay below 1023, and
 * 40 + 64 below 127, with room for the few terms after a loop's whole turns.
 */
const LIMITS: Readonly<Record<LaneName, { readonly large: number; readonly terms: number }>> = {
  f64x2: { large: 2 ** 200, terms: 256 },
  f32x4: { large: 2 ** 40, terms: 64 },
};

/** Turns of a loop with so many interleaved copies after which `takeLarge` has to run. */
export const logTurns = ({ name }: Lanes, copies: number): number => LIMITS[name].terms / copies;

export const clearLogs = (kind: Lanes, { product, sum }: LogAccumulator): Code => [
  ...[...splatNumber(kind, 0), ...set(product)],
  ...[...f64(0), ...set(sum)],
];

/** Multiplies the values of all copies by each other, and the product by the result: only that waits for the turn before. */
export function accumulateLogs(emission: Emission, { product }: LogAccumulator, values: readonly Local[]): Code {
  const { lanes: kind, live } = emission;
  const block = blockAt(emission, innermost(emission));
  const ones = values.map((value) =>
    live === kind.width ? value : put(block, V128, [...get(value), ...liveMask(live, kind.bytes), ...simd(bitOp.and)]),
  );
  const join = (a: Local, b: Local) => put(block, V128, joined(a, b, kind.code('mul'), kind.code('add')));
  return [...get(join(product, ones.reduce(join))), ...set(product)];
}

/** (1 + a)(1 + b) − 1 */
const joined = (a: Local, b: Local, mul: Code, add: Code): Code => [
  ...get(a),
  ...[...get(b), ...get(a), ...get(b), ...mul, ...add],
  ...add,
];

/** The sum on the stack, with the logarithm of what the lanes hold. */
export function logsOf(emission: Emission, { product, sum }: LogAccumulator): Code {
  const all = local(F64);
  const code: Code = [...laneOf(emission, product, 0), ...set(all)];
  for (let lane = 1; lane < emission.lanes.width; lane++) {
    const next = local(F64);
    code.push(...laneOf(emission, product, lane), ...set(next), ...joined(all, next, [scalarOp.mul], [scalarOp.add]), ...set(all));
  }
  return [...code, ...get(sum), ...get(all), ...call(emission.functions.math('Log1p', 'any')), scalarOp.add];
}

/** Replaces products that have become large by their logarithm. */
export function takeLarge(emission: Emission, accumulator: LogAccumulator): Code {
  const { lanes: kind } = emission;
  const { product, sum } = accumulator;
  const { large } = LIMITS[kind.name];
  const isLarge = [...get(product), ...splatNumber(kind, large), ...kind.code('greater'), ...simd(bitOp.anyTrue)];
  const take = [...logsOf(emission, accumulator), ...set(sum), ...splatNumber(kind, 0), ...set(product)];
  return [...isLarge, scalarOp.if, 0x40, ...take, scalarOp.end];
}
