import type { HostTree } from '@bpc/core';
import {
  ConfigError,
  cloneTree,
  eagerRuntime,
  ensureHostBackend,
  flattenHost,
  hostArray,
  hostEntries,
  hostSize,
  ShapeError,
  saveTree,
  tensorsFromHost,
  unflattenHost,
} from '@bpc/core';
import { memory, ones, reshape, scalar, square, tensor2d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// No tfjs backend is imported in this file.
describe('without any tfjs backend', () => {
  it('eagerRuntime says what to import', () => {
    expect(() => eagerRuntime()).toThrow(ConfigError);
    expect(() => eagerRuntime()).toThrow(/tfjs-backend-cpu/);
  });

  it('the host backend keeps, clones, reshapes and saves tensors, and frees them', async () => {
    ensureHostBackend();
    ensureHostBackend();
    const before = memory().numTensors;
    const x = tensor2d([
      [1, 2],
      [3, 4],
    ]);
    const copy = cloneTree(x);
    const flat = reshape(copy, [-1]);
    x.dispose();
    expect(flat.shape).toEqual([4]);
    expect([...(await flat.data())]).toEqual([1, 2, 3, 4]);
    expect([...flat.dataSync()]).toEqual([1, 2, 3, 4]);
    expect((await saveTree({ flat, one: ones([2]) })).length).toBeGreaterThan(0);
    expect(() => square(flat)).toThrow(/Square/);
    copy.dispose();
    expect([...(await flat.data())]).toEqual([1, 2, 3, 4]);
    flat.dispose();
    expect(memory().numTensors).toBe(before + 1);
    expect(() => eagerRuntime()).toThrow(/only stores tensors/);
    scalar(1).dispose();
  });
});

describe('host trees', () => {
  const tree = {
    b: [
      [1, 2, 3],
      [4, 5, 6],
    ],
    a: { z: 7, y: Float64Array.of(8, 9) },
    shaped: { data: Float32Array.of(1, 2), shape: [2, 1] },
  };

  it('have leaves in the order of treeEntries, with shapes', () => {
    expect(hostEntries(tree).map(([path, leaf]) => [path, hostArray(leaf).shape])).toEqual([
      ['a/y', [2]],
      ['a/z', []],
      ['b', [2, 3]],
      ['shaped', [2, 1]],
    ]);
    expect(hostSize(tree)).toBe(11);
  });

  it('come back from a vector in the form they had', () => {
    const vector = flattenHost(tree);
    expect([...vector]).toEqual([8, 9, 7, 1, 2, 3, 4, 5, 6, 1, 2]);
    expect(unflattenHost(vector, tree)).toEqual({ ...tree, shaped: { data: Float64Array.of(1, 2), shape: [2, 1] } });
  });

  it('keep float64 values through flatten and unflatten', () => {
    const leaf = fc.oneof(fc.double(), fc.array(fc.double(), { maxLength: 4 }), fc.float64Array({ maxLength: 4 }));
    const { tree: trees } = fc.letrec<{ tree: HostTree }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.dictionary(
          fc.string({ minLength: 1, maxLength: 3 }).filter((s) => !s.includes('/') && s !== '__proto__'),
          tie('tree'),
          { maxKeys: 3 },
        ),
      ),
    }));
    fc.assert(
      fc.property(trees, (value) => {
        expect(unflattenHost(flattenHost(value), value)).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['ragged rows', [[1, 2], [3]], /value\[1\] has shape \[1\] but value\[0\] has shape \[2\]/],
    ['mixed depths', [[1], 2], /ragged|shape/],
    ['text', [1, 'two'], /value\[1\] is string/],
    ['typed rows', [Float64Array.of(1), Float64Array.of(2)], /typed array/],
    ['a shape that does not fit', { data: Float64Array.of(1, 2), shape: [3] }, /3 numbers\) but 2/],
  ])('refuse %s', (_, value, message) => {
    expect(() => hostArray(value as never)).toThrow(ShapeError);
    expect(() => hostArray(value as never)).toThrow(message);
  });

  it('refuse leaves that are no numbers, and vectors of another length', () => {
    expect(() => hostEntries({ a: { b: null } } as never)).toThrow(/'a\/b' is null/);
    expect(() => unflattenHost(new Float64Array(3), { a: 1 })).toThrow(/vector has 3 numbers, expected 1/);
    expect(() => flattenHost({ a: [1, 2] }, { a: [1] })).toThrow(/a\[2\], expected a\[1\]/);
  });

  it('become tensors that do not share memory', async () => {
    const data = Int32Array.of(1, 2);
    const made = tensorsFromHost({ i: data, f: [[1.5]] }) as { i: ReturnType<typeof scalar>; f: ReturnType<typeof scalar> };
    data[0] = 9;
    expect([made.i.dtype, made.f.dtype, made.f.shape]).toEqual(['int32', 'float32', [1, 1]]);
    expect([...(await made.i.data())]).toEqual([1, 2]);
  });
});
