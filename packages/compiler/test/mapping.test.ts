import { jsRuntime } from '@bpc/compiler';
import { ConfigError, constant, MissingKernelError, ShapeError } from '@bpc/core';
import { add, cast, cumsum, exp, greater, matMul, mul, type Tensor, unique } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectClose, PRINTERS } from './helpers.js';

type Params = { readonly scale: Tensor; readonly steps: Tensor };
const like = { scale: 0, steps: [0, 0, 0] };
const ordered = ({ scale, steps }: Params, { shift }: { shift: Tensor }) => ({
  sigma: exp(scale),
  ordered: add(cumsum(exp(steps)), shift),
});

describe.each(PRINTERS)('a mapping on the js runtime (%s)', (printer) => {
  const runtime = jsRuntime({ printer });

  it('is the closed form in float64, leaves in the order of their names, with float64 data', async () => {
    const shift = 1 + 2 ** -40;
    const mapping = await runtime.mapping(ordered, like, { shift });
    expect(mapping.size).toBe(4);
    expect(mapping.outputSize).toBe(4);
    expect(mapping.outputs).toEqual([
      { path: 'ordered', shape: [3] },
      { path: 'sigma', shape: [] },
    ]);
    const out = new Float64Array(4);
    expect(mapping.evaluate(Float64Array.of(0.3, -1, 0.5, 2), out)).toBeUndefined();
    const [a, b, c] = [Math.exp(-1), Math.exp(0.5), Math.exp(2)];
    expectClose(out, [shift + a, shift + (a + b), shift + (a + b + c), Math.exp(0.3)], 1e-15);
    await mapping.dispose();
  });

  it('gives integers and truth values as numbers, nested trees, and what does not depend on the position', async () => {
    const constants = constant([0.1, Math.PI]);
    const mapping = await runtime.mapping(
      ({ x }: { x: Tensor }, { count }: { count: Tensor }) => ({
        whole: cast(x, 'int32'),
        above: [greater(x, 1), { count, same: x }],
        constants,
        written: constant(Math.E),
      }),
      { x: [0, 0] },
      { count: Int32Array.of(2 ** 30 + 1) },
    );
    expect(mapping.outputs.map(({ path, shape }) => `${path}[${shape}]`)).toEqual([
      'above/0[2]',
      'above/1/count[1]',
      'above/1/same[2]',
      'constants[2]',
      'whole[2]',
      'written[]',
    ]);
    const out = new Float64Array(mapping.outputSize);
    mapping.evaluate(Float64Array.of(0.7, 3.9), out);
    expectClose(out, [0, 1, 2 ** 30 + 1, 0.7, 3.9, Math.fround(0.1), Math.fround(Math.PI), 0, 3, Math.E], 0);
  });

  it('can be the identity, a constant, or nothing at all', async () => {
    const identity = await runtime.mapping((p: { x: Tensor }) => p.x, { x: [0, 0] });
    const out = new Float64Array(2);
    identity.evaluate(Float64Array.of(1 / 3, -2), out);
    expect([...out]).toEqual([1 / 3, -2]);
    expect(identity.outputs).toEqual([{ path: '', shape: [2] }]);
    const fixed = await runtime.mapping(() => ({ c: constant([1 / 3, 5]) }), { x: [0, 0] });
    fixed.evaluate(new Float64Array(2), out);
    expect([...out]).toEqual([1 / 3, 5]);
    const nothing = await runtime.mapping(() => ({}), { x: [0, 0] });
    expect(nothing.outputSize).toBe(0);
    expect(nothing.evaluate(new Float64Array(2), new Float64Array(0))).toBeUndefined();
  });

  it('holds for arrays long enough for loops, call after call', async () => {
    const n = 40;
    const mapping = await runtime.mapping(({ a, b }: { a: Tensor; b: Tensor }) => ({ product: matMul(a, b), sum: add(a, mul(b, 2)) }), {
      a: { data: new Float64Array(n * n), shape: [n, n] },
      b: { data: new Float64Array(n * n), shape: [n, n] },
    });
    const out = new Float64Array(2 * n * n);
    for (const seed of [1, 2]) {
      const position = Float64Array.from({ length: 2 * n * n }, (_, i) => Math.sin(seed * i));
      mapping.evaluate(position, out);
      const at = (matrix: number, i: number, j: number) => position[matrix * n * n + i * n + j] ?? Number.NaN;
      for (const [i, j] of [
        [0, 0],
        [3, 39],
        [39, 7],
      ] as const) {
        let product = 0;
        for (let k = 0; k < n; k++) product += at(0, i, k) * at(1, k, j);
        expect(out[i * n + j]).toBeCloseTo(product, 12);
        expect(out[n * n + i * n + j]).toBe(at(0, i, j) + 2 * at(1, i, j));
      }
    }
  });
});

describe('a mapping', () => {
  const runtime = jsRuntime();

  it('refuses vectors of other lengths, and anything after it is disposed', async () => {
    const own = jsRuntime();
    const mapping = await own.mapping(ordered, like, { shift: 0 });
    expect(() => mapping.evaluate(new Float64Array(3), new Float64Array(4))).toThrow(ShapeError);
    expect(() => mapping.evaluate(new Float64Array(4), new Float64Array(5))).toThrow(
      'position and out have 4 and 5 numbers, expected 4 and 4',
    );
    await mapping.dispose();
    await mapping.dispose();
    expect(() => mapping.evaluate(new Float64Array(4), new Float64Array(4))).toThrow('the mapping is disposed');
    const other = await own.mapping(ordered, like, { shift: 0 });
    await own.dispose();
    expect(() => other.evaluate(new Float64Array(4), new Float64Array(4))).toThrow(ConfigError);
    await expect(own.mapping(ordered, like, { shift: 0 })).rejects.toThrow('the js runtime is disposed');
  });

  it('refuses functions that return promises or no tensors, and kernels that programs cannot have', async () => {
    await expect(
      runtime.mapping(
        async function later() {
          return {};
        } as never,
        like,
      ),
    ).rejects.toThrow("'later' returned a promise");
    await expect(runtime.mapping(() => ({ x: 3 }) as never, like)).rejects.toThrow("the result of 'mapping'.x is number 3");
    await expect(runtime.mapping((p: Params) => unique(p.steps).values, like)).rejects.toThrow(MissingKernelError);
  });
});
