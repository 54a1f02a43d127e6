import { jsRuntime } from '@bpc/compiler';
import { constant } from '@bpc/core';
import { add, exp, log, mul, type Scalar, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { PRINTERS } from './helpers.js';
import { posteriors, readPosterior } from './posteriors.js';

describe.each(PRINTERS)('densities in float64 agree with the reference posteriors (%s)', (printer) => {
  it.each(Object.keys(posteriors))('%s: gradients to 5e-7, differences of the log density to 1e-10', async (name) => {
    const { like, data, logDensity } = posteriors[name]!();
    const density = await jsRuntime({ printer }).density(logDensity, like, data);
    const checks: { u: number[]; log_density: number; gradient: number[] }[] = readPosterior(name, 'reference.json').check;
    expect(checks.length).toBeGreaterThan(1);
    const gradient = new Float64Array(density.size);
    let offset: number | undefined;
    for (const check of checks) {
      // The reference's order of parameters is the canonical order of `like` in all models.
      const value = density.evaluate(Float64Array.from(check.u), gradient);
      expect(typeof value, 'evaluate is synchronous on the js runtime').toBe('number');
      offset ??= Number(value) - check.log_density;
      expect(Math.abs(Number(value) - check.log_density - offset)).toBeLessThan(1e-10 * Math.max(1, Math.abs(check.log_density)));
      check.gradient.forEach((want, i) => expect(Math.abs(gradient[i]! - want)).toBeLessThan(5e-7 * Math.max(1, Math.abs(want))));
    }
    await density.dispose();
  });
});

describe('FlatDensity', () => {
  it('flattens and unflattens in canonical order', async () => {
    const density = await jsRuntime().density(({ b, a }: { b: Tensor; a: Tensor }) => sum(add(sum(a), b)) as Scalar, {
      b: 1,
      a: [
        [1, 2],
        [3, 4],
      ],
    });
    expect([
      ...density.flatten({
        b: 9,
        a: [
          [5, 6],
          [7, 8],
        ],
      }),
    ]).toEqual([5, 6, 7, 8, 9]);
    expect(density.unflatten(Float64Array.of(1, 2, 3, 4, 5))).toEqual({
      a: [
        [1, 2],
        [3, 4],
      ],
      b: 5,
    });
  });

  it('keeps float64 data, which a tensor would round', async () => {
    const density = await jsRuntime().density(
      (p: { x: Tensor }, d: { y: Tensor }) => sum(mul(p.x, d.y)) as Scalar,
      { x: 1 },
      { y: [1 + 2 ** -40] },
    );
    const gradient = new Float64Array(1);
    expect(density.evaluate(Float64Array.of(3), gradient)).toBe(3 * (1 + 2 ** -40));
    expect(gradient[0]).toBe(1 + 2 ** -40);
  });

  it('recovers a literal that tfjs has rounded to float32', async () => {
    const density = await jsRuntime().density((p: { x: Tensor }) => mul(0.001, p.x) as Scalar, { x: 1 });
    expect(density.evaluate(Float64Array.of(1), new Float64Array(1))).toBe(0.001);
  });

  it('keeps constant() in float64, and computed literals in float32 as documented', async () => {
    const value = Math.log(2 * Math.PI);
    const evaluate = async (logDensity: (p: { x: Tensor }) => Scalar) => {
      const density = await jsRuntime().density(logDensity, { x: 1 });
      return density.evaluate(Float64Array.of(1), new Float64Array(1));
    };
    expect(await evaluate((p) => mul(p.x, constant(value)) as Scalar)).toBe(value);
    expect(await evaluate((p) => sum(mul(p.x, constant([value, -0.5 * value]))) as Scalar)).toBe(0.5 * value);
    const rounded = await evaluate((p) => mul(p.x, value) as Scalar);
    expect(rounded).not.toBe(value);
    expect(Math.abs(Number(rounded) - value)).toBeLessThan(2e-7);
    // A program's outputs are float32 whatever happened inside.
    const program = jsRuntime().compile((x: Tensor) => ({ sum: mul(x, constant(value)), alone: constant(new Int32Array([2 ** 24 + 1])) }));
    const { sum: product, alone } = await program(constant(1));
    expect(product.dataSync()[0]).toBe(Math.fround(value));
    expect([alone.dtype, alone.dataSync()[0]]).toEqual(['int32', 2 ** 24 + 1]);
    expect(constant(value).dataSync()[0]).toBe(Math.fround(value));
    expect(constant([[1, 2]]).shape).toEqual([1, 2]);
  });

  it('differentiates around constant(), which is one', async () => {
    const density = await jsRuntime().density((p: { x: Tensor }) => mul(mul(p.x, p.x), constant(0.1 + 1e-12)) as Scalar, { x: 1 });
    const gradient = new Float64Array(1);
    density.evaluate(Float64Array.of(3), gradient);
    expect(gradient[0]).toBeCloseTo(6 * (0.1 + 1e-12), 15);
  });

  it('gives zeros for parameters that the density does not use', async () => {
    const density = await jsRuntime().density((p: { x: Tensor; unused: Tensor }) => sum(p.x) as Scalar, {
      x: [1, 2],
      unused: new Float64Array(30),
    });
    const gradient = new Float64Array(32).fill(7);
    density.evaluate(new Float64Array(32), gradient);
    expect([...gradient]).toEqual([...new Array(30).fill(0), 1, 1]);
  });

  it('stays finite where log(1 + exp(z)) overflows as written', async () => {
    const logistic = (p: { z: Tensor }) => sub(sum(mul(0.5, p.z)), sum(log(add(1, exp(p.z))))) as Scalar;
    const density = await jsRuntime().density(logistic, { z: [0, 0, 0, 0] });
    const gradient = new Float64Array(4);
    const value = density.evaluate(Float64Array.of(-1000, -2, 3, 1000), gradient);
    const want = [-500 - 0, -1 - Math.log1p(Math.exp(-2)), 1.5 - (3 + Math.log1p(Math.exp(-3))), 500 - 1000];
    expect(value).toBeCloseTo(
      want.reduce((a, b) => a + b, 0),
      9,
    );
    [0.5, 0.5 - 1 / (1 + Math.exp(2)), 0.5 - 1 / (1 + Math.exp(-3)), -0.5].forEach((g, i) => expect(gradient[i]).toBeCloseTo(g, 12));
  });

  it('is the same over a vector long enough for loops', async () => {
    const logistic = (p: { z: Tensor }) => sum(log(add(1, exp(p.z)))) as Scalar;
    const density = await jsRuntime().density(logistic, { z: new Float64Array(100) });
    const z = Float64Array.from({ length: 100 }, (_, i) => (i - 50) * 20);
    const gradient = new Float64Array(100);
    expect(density.evaluate(z, gradient)).toBeCloseTo(
      z.reduce((s, v) => s + Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))), 0),
      8,
    );
    z.forEach((v, i) => expect(gradient[i]).toBeCloseTo(1 / (1 + Math.exp(-v)), 12));
  });
});
