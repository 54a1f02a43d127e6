import { jsRuntime } from '@bpc/compiler';
import { eagerRuntime } from '@bpc/core';
import {
  type DataTensors,
  interval,
  key,
  ordered,
  type Parameter,
  type ParameterTree,
  parameterNames,
  parameterShapes,
  positive,
  real,
  sample,
  simplex,
  type Target,
  target,
  targetQuantities,
  unconstrainedDensity,
  unconstrainedLike,
} from '@bpc/samplers';
import { abs, add, greater, mul, neg, type Scalar, scalar, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, expectTypeOf, it } from 'vitest';

const runtime = jsRuntime();
const never = (_: () => unknown) => undefined;

const schools = target({
  parameters: { mu: real(), tau: positive(), z: real([3]) },
  logDensity: ({ mu, tau, z }, { y }) => neg(add(add(square(mu), tau), sum(square(sub(y, add(mu, mul(tau, z))))))) as Scalar,
  data: { y: [1, 2, 4] },
  derived: ({ mu, tau, z }) => ({ theta: add(mu, mul(tau, z)), large: greater(tau, 1) }),
});

const density = (definition: Target) => runtime.density(unconstrainedDensity(definition), unconstrainedLike(definition.parameters));

describe('unconstrainedDensity', () => {
  it('adds the log-Jacobians of the supports, and only those', async () => {
    const { evaluate } = await runtime.density(unconstrainedDensity(schools), unconstrainedLike(schools.parameters), schools.data);
    const [mu, logTau, ...z] = [0.3, -0.4, 1, -1, 0.5] as const;
    const tau = Math.exp(logTau);
    const expected = -(mu ** 2 + tau + [1, 2, 4].reduce((total, y, j) => total + (y - mu - tau * z[j]!) ** 2, 0)) + logTau;
    const gradient = new Float64Array(5);
    expect(evaluate(Float64Array.of(mu, logTau, ...z), gradient)).toBeCloseTo(expected, 13);
    const residual = [1, 2, 4].map((y, j) => y - mu - tau * z[j]!);
    expect(gradient[0]).toBeCloseTo(-2 * mu + 2 * residual.reduce((a, b) => a + b), 12);
    expect(gradient[1]).toBeCloseTo(-tau + 2 * tau * residual.reduce((total, r, j) => total + r * z[j]!, 0) + 1, 12);
  });

  it('takes one parameter alone', async () => {
    const alone = target({ parameters: positive([2]), logDensity: (x) => neg(sum(x)) as Scalar });
    const { evaluate } = await runtime.density(unconstrainedDensity(alone), unconstrainedLike(alone.parameters));
    expect(evaluate(Float64Array.of(0, 1), new Float64Array(2))).toBeCloseTo(-1 - Math.E + 1, 13);
  });

  it('runs eagerly, too', async () => {
    const eager = await eagerRuntime().density(unconstrainedDensity(schools), unconstrainedLike(schools.parameters), schools.data);
    const exact = await runtime.density(unconstrainedDensity(schools), unconstrainedLike(schools.parameters), schools.data);
    const position = Float64Array.of(0.3, -0.4, 1, -1, 0.5);
    const [a, b] = [new Float64Array(5), new Float64Array(5)];
    expect(await eager.evaluate(position, a)).toBeCloseTo(await exact.evaluate(position, b), 4);
    a.forEach((g, k) => expect(g).toBeCloseTo(b[k]!, 4));
  });

  const of = (logDensity: unknown) => ({ parameters: { x: real([2]) }, logDensity }) as never;
  it.each<[string, unknown, RegExp]>([
    ['a density per point', ({ x }: { x: Tensor }) => neg(square(x)), /logDensity returned shape \[2\], expected a scalar.*sum/],
    ['a promise', async ({ x }: { x: Tensor }) => sum(x), /returned a promise/],
    ['a number', () => 1, /returned number, expected a scalar tensor/],
    ['nothing', () => undefined, /returned nothing/],
    ['a truth value', ({ x }: { x: Tensor }) => greater(sum(x), 0), /returned bool/],
    ['an integer', () => scalar(1, 'int32'), /returned int32/],
  ])('refuses %s', async (_, logDensity, message) => {
    await expect(density(of(logDensity))).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/CONFIG|SHAPE/), message: expect.stringMatching(message) }),
    );
  });
});

describe('parameter trees', () => {
  it.each<[string, unknown, RegExp]>([
    ['a number', { mu: 0 }, /the parameter 'mu' is 0, expected a parameter \(write mu: real\(\)/],
    ['an integer array', { a: { n: Int32Array.of(1) } }, /the parameter 'a\/n' is an array \(Int32Array\).*write n: real\(\)/],
    ['a list of parameters', { a: [real(), real()] }, /the parameter 'a' is an array/],
    ['a factory that was not called', { sigma: positive }, /the function 'positive'.*write sigma: positive\(\)/],
    ['nothing', {}, /'parameters' is an object without parameters.*mu: real\(\)/],
    ['an empty record inside', { a: real(), b: {} }, /the parameter 'b' is an object without parameters/],
    ['null', null, /'parameters' is null/],
    ['a name with the separator', { 'a/b': real() }, /named 'a\/b'.*nest records/],
    ['text', { mu: 'real' }, /'mu' is 'real'/],
  ])('refuse %s', (_, parameters, message) => {
    for (const use of [parameterNames, unconstrainedLike]) {
      expect(() => use(parameters as ParameterTree)).toThrow(
        expect.objectContaining({ code: 'CONFIG', message: expect.stringMatching(message) }),
      );
    }
    expect(() => unconstrainedDensity({ parameters, logDensity: () => scalar(0) } as never)).toThrow(message);
  });

  it('refuse a tensor', () => {
    expect(() => parameterNames({ mu: scalar(0) as never })).toThrow(/'mu' is a tensor/);
  });

  it('list names and shapes in canonical order', () => {
    const parameters = { b: simplex(3, [2]), a: { y: positive(), x: ordered(2) } };
    expect(parameterShapes(parameters)).toEqual([
      { name: 'a/x', shape: [2] },
      { name: 'a/y', shape: [] },
      { name: 'b', shape: [2, 3] },
    ]);
    expect(parameterNames(real([2]))).toEqual(['value']);
  });
});

describe('targetQuantities', () => {
  it('are values on their supports and what is derived from them, truth values as numbers', async () => {
    const mapping = await runtime.mapping(targetQuantities(schools), unconstrainedLike(schools.parameters), schools.data);
    expect(mapping.outputs.map(({ path }) => path)).toEqual(['large', 'mu', 'tau', 'theta', 'z']);
    const out = new Float64Array(mapping.outputSize);
    const tau = Math.exp(0.5);
    await mapping.evaluate(Float64Array.of(2, 0.5, 1, 0, -1), out);
    [1, 2, tau, 2 + tau, 2, 2 - tau, 1, 0, -1].forEach((want, k) => expect(out[k]).toBeCloseTo(want, 14));
  });

  it('call one parameter alone `value`', async () => {
    const alone = target({ parameters: positive(), logDensity: (x) => neg(x) as Scalar, derived: (x) => ({ twice: mul(x, 2) }) });
    const mapping = await runtime.mapping(targetQuantities(alone), unconstrainedLike(alone.parameters));
    expect(mapping.outputs.map(({ path }) => path)).toEqual(['twice', 'value']);
  });

  const of = (derived: unknown) =>
    ({ parameters: { x: real(), s: { t: real() } }, logDensity: ({ x }: { x: Tensor }) => neg(abs(x)), derived }) as never;
  it.each<[string, unknown, RegExp]>([
    ['the name of a parameter', ({ x }: { x: Tensor }) => ({ x }), /'x', as the parameters do/],
    ['the name of a group of parameters', ({ x }: { x: Tensor }) => ({ s: x }), /'s', as the parameters do/],
    ['a name with the separator', ({ x }: { x: Tensor }) => ({ 's/t': x }), /'s\/t' \(choose a name/],
    ['a tensor without a name', ({ x }: { x: Tensor }) => x, /no record of tensors/],
    ['a number', () => ({ y: 1 }), /no tensor for 'y'/],
    ['a promise', async () => ({}), /returned a promise/],
  ])('refuse %s', async (_, derived, message) => {
    await expect(runtime.mapping(targetQuantities(of(derived)), { x: 0, s: { t: 0 } })).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringMatching(message) }),
    );
  });
});

// Checked by the compiler; nothing here runs.
describe('types', () => {
  it('of a log density follow from parameters and data', () => {
    never(() =>
      target({
        parameters: { group: { mu: real(), weights: simplex(3) }, sigma: positive() },
        data: { x: [[1, 2]], inner: { y: new Float64Array(2) } },
        logDensity: (params, data) => {
          expectTypeOf(params.group.mu).toEqualTypeOf<Tensor>();
          expectTypeOf(params).toEqualTypeOf<{
            readonly group: { readonly mu: Tensor; readonly weights: Tensor };
            readonly sigma: Tensor;
          }>();
          expectTypeOf(data.inner.y).toEqualTypeOf<Tensor>();
          expectTypeOf(data.x).toEqualTypeOf<Tensor>();
          // @ts-expect-error no such parameter
          params.tau;
          // @ts-expect-error no such data
          data.z;
          return sum(params.sigma) as Scalar;
        },
        derived: ({ sigma }, data) => {
          expectTypeOf(sigma).toEqualTypeOf<Tensor>();
          expectTypeOf(data.x).toEqualTypeOf<Tensor>();
          return { variance: square(sigma) };
        },
      }),
    );
  });

  it('take log densities whose rank tfjs does not know, without a cast', () => {
    never(() => {
      target({ parameters: { mu: real() }, logDensity: ({ mu }) => neg(sum(square(mu))) });
      sample({ parameters: { mu: real() }, logDensity: ({ mu }) => neg(sum(square(mu))), key: key(1) });
    });
  });

  it('refuse what is no target', () => {
    never(() => {
      // @ts-expect-error a number is no parameter
      target({ parameters: { mu: 0 }, logDensity: () => scalar(0) });
      // @ts-expect-error a factory must be called
      target({ parameters: { mu: positive }, logDensity: () => scalar(0) });
      // @ts-expect-error a log density is synchronous
      target({ parameters: { mu: real() }, logDensity: async () => scalar(0) });
      // @ts-expect-error a log density is a tensor
      target({ parameters: { mu: real() }, logDensity: () => 3 });
      // @ts-expect-error derived quantities are tensors
      target({ parameters: { mu: real() }, logDensity: () => scalar(0), derived: () => ({ two: 2 }) });
    });
  });

  it('of one parameter alone is a tensor', () => {
    never(() =>
      target({
        parameters: interval(0, 1, [2]),
        logDensity: (x) => {
          expectTypeOf(x).toEqualTypeOf<Tensor>();
          return sum(x) as Scalar;
        },
      }),
    );
    expectTypeOf(real()).toEqualTypeOf<Parameter>();
    expectTypeOf<DataTensors<{ a: number; b: { c: Float64Array } }>>().toEqualTypeOf<{
      readonly a: Tensor;
      readonly b: { readonly c: Tensor };
    }>();
  });
});
