import { jsRuntime } from '@bpc/compiler';
import { targetQuantities, unconstrainedDensity, unconstrainedLike } from '@bpc/samplers';
import { type ReferencePosteriorName, referencePosteriors } from '@bpc/samplers/testing';
import { describe, expect, it } from 'vitest';
import { fromZero, readData, readReference } from './read.js';

const identity = (size: number) => Array.from({ length: size }, (_, k): readonly [number, number] => [k, 1]);
const [half, rest] = [Math.SQRT1_2, identity(13).slice(2)];

/**
 * Where our k-th unconstrained number is in the reference's vector, and its factor: ours are in the order of names, and a
 * simplex of two is logistic in √2·u.
 */
const coordinates: Record<ReferencePosteriorName, readonly (readonly [from: number, factor: number])[]> = {
  'eight_schools-eight_schools_noncentered': identity(10),
  'sblrc-blr': identity(6),
  'kidiq-kidscore_interaction': identity(5),
  'arK-arK': identity(7),
  'garch-garch11': [
    [1, 1],
    [2, 1],
    [0, 1],
    [3, 1],
  ],
  'gp_pois_regr-gp_pois_regr': [[1, 1], [0, 1], ...rest],
  'low_dim_gauss_mix-low_dim_gauss_mix': identity(5),
  'hmm_example-hmm_example': [
    [2, 1],
    [3, 1],
    [0, half],
    [1, half],
  ],
};

const names = Object.keys(referencePosteriors) as ReferencePosteriorName[];

describe.each(names)('%s, from our parameters', (name) => {
  const target = referencePosteriors[name](readData(name));
  const { check, parameters } = readReference(name);
  const order = coordinates[name];
  const ours = (u: readonly number[]) => Float64Array.from(order, ([from, factor]) => u[from]! * factor);

  it('has the log density of the reference up to a constant (1e-10), and its gradient (1e-6)', async () => {
    const density = await jsRuntime().density(unconstrainedDensity(target), unconstrainedLike(target.parameters), target.data);
    expect(density.size).toBe(order.length);
    expect(check.length).toBeGreaterThan(2);
    const gradient = new Float64Array(density.size);
    const constants = check.map(({ u, log_density: expected, gradient: slopes }) => {
      const value = Number(density.evaluate(ours(u), gradient));
      order.forEach(([from, factor], k) => {
        const want = slopes[from]!;
        expect(Math.abs(gradient[k]! * factor - want), `gradient ${k}`).toBeLessThan(1e-6 * Math.max(1, Math.abs(want)));
      });
      return value - expected;
    });
    constants.forEach((constant, i) => {
      expect(Math.abs(constant - constants[0]!)).toBeLessThan(
        1e-10 * Math.max(1, Math.abs(check[i]!.log_density), Math.abs(check[0]!.log_density)),
      );
    });
    await density.dispose();
  });

  it('reports the quantities of the reference, at their values', async () => {
    const mapping = await jsRuntime().mapping(targetQuantities(target), unconstrainedLike(target.parameters), target.data);
    const out = new Float64Array(mapping.outputSize);
    const found = mapping.outputs.flatMap(({ path, shape }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return shape.length === 0 ? [path] : Array.from({ length: size }, (_, k) => `${path}[${k}]`);
    });
    for (const { u, parameters: values } of check) {
      await mapping.evaluate(ours(u), out);
      parameters.forEach((parameter, k) => {
        const at = found.indexOf(fromZero(parameter));
        expect(at, parameter).toBeGreaterThanOrEqual(0);
        expect(Math.abs(out[at]! - values[k]!), parameter).toBeLessThan(1e-7 * Math.max(1, Math.abs(values[k]!)));
      });
    }
    await mapping.dispose();
  });
});

describe('data', () => {
  it.each<[string, ReferencePosteriorName, Record<string, unknown>, RegExp]>([
    ['a missing column', 'eight_schools-eight_schools_noncentered', { y: [1] }, /no numbers 'sigma'/],
    ['text', 'garch-garch11', { y: [1, 2], sigma1: 'half' }, /'sigma1'/],
    ['a number for a list', 'arK-arK', { y: 3, K: 5 }, /'y' is no list/],
    ['a list for rows', 'sblrc-blr', { X: [1, 2], y: [1, 2] }, /'X' is no list of rows/],
  ])('%s is refused by name', (_, name, data, message) => {
    expect(() => referencePosteriors[name](data)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringMatching(message) }),
    );
  });
});
