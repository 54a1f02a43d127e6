import { describe, expect, it } from 'vitest';
import * as ir from '../src/ir/index.js';
import { graphBuilder, type Unary } from '../src/ir/index.js';
import { unaryFunction } from '../src/ir/scalar-functions.js';
import { lowerGraph } from '../src/targets/js/lower.js';
import { generateWasm } from '../src/targets/js/wasm/index.js';

type Lanes = 'f64x2' | 'f32x4';

/** A function of the module on many numbers, in loops with lanes or one number after the other. */
function evaluate(op: Unary, inputs: Float64Array, lanes: Lanes = 'f64x2', size = inputs.length): Float64Array {
  const g = graphBuilder({ simplify: false });
  const program = lowerGraph(g.finish([ir.unary(g, op, g.input([size], 'float32'))], op));
  const { run } = generateWasm(program, { lanes });
  const found = new Float64Array(inputs.length);
  for (let i = 0; i < inputs.length; i += size) run([inputs.subarray(i, i + size)], [found.subarray(i, i + size)]);
  return found;
}

const bits = new DataView(new ArrayBuffer(8));
/** Distance to the next number away from zero, with the spacing of denormals below the normal numbers. */
function spacing(x: number, lanes: Lanes): number {
  bits.setFloat64(0, Math.abs(x));
  const exponent = Math.max((bits.getUint16(0) >> 4) - 1023, lanes === 'f64x2' ? -1022 : -126);
  return 2 ** (exponent - (lanes === 'f64x2' ? 52 : 23));
}

/** Largest difference from `Math.*` in units of the last place; anything that is not finite has to be the same. */
function largestError(op: Unary, inputs: Float64Array, lanes: Lanes = 'f64x2', size?: number): number {
  const found = evaluate(op, inputs, lanes, size);
  let worst = 0;
  inputs.forEach((x, i) => {
    const want = unaryFunction[op](x);
    const rounded = lanes === 'f64x2' ? want : Math.fround(want);
    if (Object.is(found[i], rounded)) return;
    if (!Number.isFinite(rounded) || !Number.isFinite(found[i]!)) expect([x, found[i]]).toEqual([x, rounded]);
    worst = Math.max(worst, Math.abs(found[i]! - want) / spacing(want, lanes));
  });
  return worst;
}

const spread = (count: number, at: (u: number) => number) => Float64Array.from({ length: count }, (_, i) => at((i + 0.37) / count));
const between = (low: number, high: number, count = 20001) => spread(count, (u) => low + (high - low) * u);
/** Both signs of numbers from 10^low to 10^high. */
const magnitudes = (low: number, high: number, count = 20000) =>
  spread(count, (u) => (Math.round(u * count) % 2 ? 1 : -1) * 10 ** (low + (high - low) * u));
const EDGES = [0, -0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-300, 1, -1, Number.MAX_VALUE, -Number.MAX_VALUE];
const special = (...more: number[]) =>
  Float64Array.of(...EDGES, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, ...more, ...new Array<number>(30).fill(0.5));

describe('functions on lanes stay within a few units of the last place of Math.*', () => {
  it.each<[Unary, number, Float64Array[]]>([
    [
      'Exp',
      1,
      [
        between(-745.2, 709.8),
        between(-1, 1),
        magnitudes(-320, 2.8),
        special(709.78271289338397, 709.782712893384, -745.13, -745.14, -708.4),
      ],
    ],
    ['Expm1', 2, [between(-40, 709.7), between(-1, 1), magnitudes(-320, 2.8), special(709.782712893384, 710, -36, -38, -50)]],
    ['Log', 1, [between(0, 10), between(0.5, 2), magnitudes(-323, 308).map(Math.abs), special(-1e-310, 4.9e-324, 1e-309)]],
    [
      'Log1p',
      1,
      [
        between(-0.9999, 10),
        between(-1e-3, 1e-3),
        magnitudes(-320, -1),
        magnitudes(0, 308).map(Math.abs),
        special(-1.5, -0.9999999999999999),
      ],
    ],
    ['Tanh', 3, [between(-25, 25), between(-1, 1), magnitudes(-320, 3), special(19.1, 22, -22)]],
    ['Sigmoid', 2, [between(-700, 40), between(-1, 1), magnitudes(-320, 2.5), special(-744, -800, 800)]],
    ['Softplus', 3, [between(-700, 700), between(-1, 1), magnitudes(-320, 3), special(-744, -800, 1e5)]],
  ])('%s: %s ulp in float64', (op, most, ranges) => {
    for (const range of ranges) expect(largestError(op, range)).toBeLessThanOrEqual(most);
  });

  it.each<[Unary, number, Float64Array[]]>([
    ['Exp', 1, [between(-103, 88.7), between(-1, 1), special(88.72, 88.73, -103.9, -104)]],
    ['Expm1', 2, [between(-20, 88), between(-1, 1), magnitudes(-30, 1.9)]],
    ['Log', 1, [between(1e-3, 10), magnitudes(-44, 38).map(Math.abs), special(-1)]],
    ['Log1p', 1, [between(-0.999, 10), magnitudes(-30, -1), magnitudes(0, 38).map(Math.abs)]],
    ['Tanh', 2.5, [between(-10, 10), magnitudes(-30, 2), special(9, 12)]],
    ['Sigmoid', 2.5, [between(-80, 40), special(-100, -200, 200)]],
    ['Softplus', 2.5, [between(-80, 80), special(-100, -200, 1e5)]],
  ])('%s: %s ulp in float32', (op, most, ranges) => {
    for (const range of ranges) expect(largestError(op, range.map(Math.fround), 'f32x4')).toBeLessThanOrEqual(most);
  });

  it.each<Unary>(['Exp', 'Expm1', 'Log', 'Log1p', 'Tanh'])('%s of one number has the bits of the lanes', (op) => {
    for (const inputs of [between(-3, 3, 500), magnitudes(-320, 3, 500), special(-745, 710)]) {
      const alone = evaluate(op, inputs, 'f64x2', 1);
      evaluate(op, inputs).forEach((x, i) =>
        expect(Object.is(alone[i], x), `${op}(${inputs[i]}): ${alone[i]} alone, ${x} in lanes`).toBe(true),
      );
    }
  });

  it('tanh keeps its relative accuracy near zero', () => {
    const inputs = magnitudes(-300, -3, 3001);
    evaluate('Tanh', inputs).forEach((x, i) => expect(Math.abs(x / Math.tanh(inputs[i]!) - 1)).toBeLessThan(1e-15));
  });
});
