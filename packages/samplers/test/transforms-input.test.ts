import { jsRuntime } from '@bpc/compiler';
import { hostArray, ShapeError } from '@bpc/core';
import {
  choleskyCorrelation,
  choleskyCovariance,
  constrainTree,
  interval,
  lowerBounded,
  ordered,
  type Parameter,
  positive,
  positiveOrdered,
  real,
  simplex,
  unconstrainedLike,
  unconstrainTree,
  upperBounded,
} from '@bpc/samplers';
import { type Scalar, sum, tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

const runtime = jsRuntime();

describe('unconstrain refuses, by name and value', () => {
  it.each<[string, Parameter, Parameters<Parameter['unconstrain']>[0], RegExp]>([
    ['zero for a positive number', positive(), 0, /value 0 is outside of the support 'positive'/],
    [
      'a negative number among positive ones',
      positive([2, 2]),
      [
        [1, 2],
        [3, -4],
      ],
      /value -4 at \[1,1\] .* 'positive'/,
    ],
    ['NaN', real([2]), [0, Number.NaN], /\[1\], which is NaN/],
    ['infinity', real(), Number.POSITIVE_INFINITY, /which is Infinity/],
    ['a bound itself', interval(0, 1), 1, /value 1 is outside of the support 'interval\(0, 1\)'/],
    ['what is above', upperBounded(2), 2.5, /2\.5 is outside of the support 'below 2'/],
    ['what is below', lowerBounded(2), 2, /value 2 is outside of the support 'above 2'/],
    ['what does not increase', ordered(3), [1, 2, 2], /value 2 at \[2\] after 2/],
    ['a first number that is not positive', positiveOrdered(2), [-1, 2], /value -1 at \[0\]/],
    ['shares that do not sum to 1', simplex(3), [0.2, 0.2, 0.2], /sums to 0\.6/],
    ['a share of zero', simplex(2), [0, 1], /value 0 at \[0\]/],
    [
      'one row that does not sum to 1',
      simplex(2, [2]),
      [
        [0.5, 0.5],
        [0.5, 0.4],
      ],
      /the row \[1\] that sums to 0\.9/,
    ],
    [
      'an upper triangle',
      choleskyCovariance(2),
      [
        [1, 2],
        [0, 1],
      ],
      /value 2 at \[0,1\]/,
    ],
    [
      'a negative diagonal',
      choleskyCovariance(2),
      [
        [1, 0],
        [0, -1],
      ],
      /value -1 at \[1,1\]/,
    ],
    [
      'rows of another length',
      choleskyCorrelation(2),
      [
        [1, 0],
        [0.5, 0.5],
      ],
      /row 1, of squared length 0\.5/,
    ],
  ])('%s', (_, parameter, value, message) => {
    expect(() => parameter.unconstrain(value)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringMatching(message) }),
    );
  });

  it('another shape', () => {
    expect(() => positive([3]).unconstrain([1, 2])).toThrow(ShapeError);
    expect(() => positive([3]).unconstrain([1, 2])).toThrow(/shape \[2\], expected \[3\]/);
  });
});

describe('factories refuse, with the remedy', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a shape that is no list', () => positive(3 as never), /write positive\(\[3\]\)/],
    ['a length of zero', () => real([0]), /positive integers/],
    ['half a number', () => real([1.5]), /positive integers/],
    ['an empty interval', () => interval(1, 1), /low < high/],
    ['bounds in the wrong order', () => interval(1, 0), /lower bound first/],
    ['an infinite bound', () => lowerBounded(Number.NEGATIVE_INFINITY), /use real\(\)/],
    ['a bound that is no number', () => upperBounded('1' as never), /finite number/],
    ['a simplex of one', () => simplex(1), /integer ≥ 2/],
    ['no count', () => ordered(undefined as never), /integer ≥ 1/],
    ['half a matrix', () => choleskyCorrelation(2.5), /integer ≥ 2/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIG', message: expect.stringMatching(message) }));
  });
});

describe('trees', () => {
  const parameters = { b: simplex(3, [2]), a: { y: positive(), x: ordered(2) } };

  it('of unconstrained values have the shapes of unconstrainedLike, and come back', async () => {
    const given = {
      b: [
        [0.2, 0.3, 0.5],
        [0.1, 0.1, 0.8],
      ],
      a: { y: 2, x: [-1, 4] },
    };
    const u = unconstrainTree(parameters, given) as { b: never; a: { y: number; x: Float64Array } };
    expect(u.a.y).toBe(Math.log(2));
    expect([...u.a.x]).toEqual([-1, Math.log(5)]);
    expect(hostArray(u.b).shape).toEqual([2, 2]);
    const like = unconstrainedLike(parameters);
    const density = await runtime.density(() => sum(tensor([0])) as Scalar, like);
    const mapping = await runtime.mapping((p: never) => constrainTree(parameters, p).values, like);
    const out = new Float64Array(mapping.outputSize);
    await mapping.evaluate(density.flatten(u), out);
    expect(mapping.outputs.map(({ path }) => path)).toEqual(['a/x', 'a/y', 'b']);
    [-1, 4, 2, 0.2, 0.3, 0.5, 0.1, 0.1, 0.8].forEach((want, k) => expect(out[k]).toBeCloseTo(want, 13));
  });

  it.each<[string, unknown, RegExp]>([
    [
      'values outside of a support',
      {
        b: [
          [0.2, 0.3, 0.5],
          [0.1, 0.1, 0.8],
        ],
        a: { y: -2, x: [-1, 4] },
      },
      /parameter 'a\/y': value -2/,
    ],
    [
      'missing names',
      {
        b: [
          [0.2, 0.3, 0.5],
          [0.1, 0.1, 0.8],
        ],
        a: { x: [-1, 4] },
      },
      /lack the parameter 'a\/y'/,
    ],
    ['names of no parameter', { b: [1], a: { y: 2, z: 1, x: [-1, 4] }, c: 1 }, /'c', which is no parameter/],
    [
      'numbers where names are',
      {
        b: [
          [0.2, 0.3, 0.5],
          [0.1, 0.1, 0.8],
        ],
        a: 3,
      },
      /3 at 'a', expected names/,
    ],
    [
      'text',
      {
        b: [
          [0.2, 0.3, 0.5],
          [0.1, 0.1, 0.8],
        ],
        a: { y: 'one', x: [-1, 4] },
      },
      /parameter 'a\/y'/,
    ],
  ])('refuse %s', (_, given, message) => {
    expect(() => unconstrainTree(parameters, given as never)).toThrow(message);
    expect(() => unconstrainTree(parameters, given as never)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/CONFIG|SHAPE/) }),
    );
  });
});
