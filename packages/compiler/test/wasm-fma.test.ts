import { setFlagsFromString } from 'node:v8';
import { describe, expect, it } from 'vitest';
import * as ir from '../src/ir/index.js';
import { graphBuilder, type Node } from '../src/ir/index.js';
import { lowerGraph } from '../src/targets/js/lower.js';
import { generateWasm } from '../src/targets/js/wasm/index.js';

// Node 20 hides relaxed SIMD behind a flag; newer engines have it anyway.
setFlagsFromString('--experimental-wasm-relaxed-simd');

function product(size: number) {
  const g = graphBuilder();
  const [x, y, z] = [g.input([size], 'float32'), g.input([size], 'float32'), g.input([size], 'float32')];
  const xy = ir.binary(g, 'Mul', x, y);
  const outputs: Node[] = [
    ir.binary(g, 'Add', xy, z),
    ir.binary(g, 'Sub', z, xy),
    ir.reduce(g, 'Sum', xy, [0], false),
    ir.unary(g, 'Exp', x),
    ir.unary(g, 'Log', ir.unary(g, 'Abs', x)),
  ];
  return lowerGraph(g.finish(outputs, 'products'));
}

describe('fused multiply-add, on request', () => {
  const size = 101;
  const wave = (seed: number) => Float64Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + seed));
  const inputs = [wave(0.5), wave(1), wave(2)];
  const run = (fma: boolean, given = inputs, lanes: 'f64x2' | 'f32x4' = 'f64x2') => {
    const program = product(size);
    const outputs = program.outputs.map(({ size: length }) => new Float64Array(length));
    generateWasm(program, { lanes, fma }).run(given, outputs);
    return outputs;
  };

  it('computes the same to rounding', () => {
    for (const [lanes, tolerance] of [
      ['f64x2', 1e-14],
      ['f32x4', 1e-5],
    ] as const) {
      const [plain, fused] = [run(false, inputs, lanes), run(true, inputs, lanes)];
      plain.forEach((values, k) =>
        values.forEach((v, i) => expect(Math.abs(fused[k]![i]! - v)).toBeLessThan(tolerance * Math.max(1, Math.abs(v)))),
      );
    }
  });

  it('rounds a product and its sum once where the machine can: x·x − fl(x·x) is not zero', () => {
    const x = wave(0.3);
    const rounded = x.map((v) => -v * v);
    const [plain] = run(false, [x, x, rounded]);
    expect(plain!.every((v) => v === 0)).toBe(true);
    const [sums, differences] = run(true, [x, x, rounded]);
    expect([...sums!].some((v) => v !== 0)).toBe(true);
    for (const v of sums!) expect(Math.abs(v)).toBeLessThan(2 ** -53);
    differences!.forEach((v, i) => expect(Math.abs(v + 2 * x[i]! * x[i]!)).toBeLessThan(1e-15));
  });
});
