import type { Algorithm, Divergence, HostTree, Key, Optimizer, Program, Runtime, Tree } from '@bpc/core';
import { adam, grad, key, langevin, loadTree, normal, split, treeMap, valueAndGrad } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { describe, expectTypeOf, it } from 'vitest';

type Params = { readonly w: Tensor; readonly layers: readonly { readonly b: Tensor }[] };
declare const runtime: Runtime;

// Checked by the compiler; nothing here runs.
const never = (_: () => unknown) => undefined;

describe('types', () => {
  it('of a program are those of its function', () => {
    never(() => {
      const program = runtime.compile((k: Key, params: Params, extra: Tensor | undefined) => ({
        params,
        drawn: [extra ?? normal(k, [])],
      }));
      expectTypeOf(program).parameters.toEqualTypeOf<[k: Key, params: Params, extra: Tensor | undefined]>();
      expectTypeOf(program).returns.resolves.toHaveProperty('params').toEqualTypeOf<Params>();
      expectTypeOf(program.prepare).parameters.toEqualTypeOf<Parameters<typeof program>>();
      expectTypeOf(program).toExtend<Program<[Key, Params, Tensor | undefined], Tree>>();
      // @ts-expect-error results are trees of tensors, not numbers
      runtime.compile((x: Tensor) => ({ loss: x.size }));
      // @ts-expect-error a program is synchronous
      runtime.compile(async (x: Tensor) => x);
      // @ts-expect-error arguments are trees, keys or nothing
      runtime.compile((x: Tensor, rate: number) => (rate > 0 ? x : x));
    });
  });

  it('of trees survive mapping, differentiation and loading', () => {
    never(() => {
      const params = {} as Params;
      expectTypeOf(treeMap((x) => x, params)).toEqualTypeOf<Params>();
      expectTypeOf(valueAndGrad((p: Params) => p.w)(params)).toEqualTypeOf<{ readonly value: Scalar; readonly grad: Params }>();
      expectTypeOf(grad((p: Params, data: { readonly y: Tensor }) => data.y && p.w)(params, { y: params.w })).toEqualTypeOf<Params>();
      expectTypeOf(loadTree(new Uint8Array(), params).tree).toEqualTypeOf<Params>();
    });
  });

  it('say that an interface is no Tree, and a type is', () => {
    interface Declared {
      readonly w: Tensor;
    }
    expectTypeOf<Params>().toExtend<Tree>();
    expectTypeOf<Declared>().not.toExtend<Tree>();
    expectTypeOf<{ readonly w: number }>().not.toExtend<Tree>();
    expectTypeOf<{ readonly a: number; readonly b: { readonly c: number[][] } }>().toExtend<HostTree>();
  });

  it('keep keys opaque and count what split returns', () => {
    expectTypeOf<{ readonly seed: number }>().not.toExtend<Key>();
    expectTypeOf<number>().not.toExtend<Key>();
    expectTypeOf(split(key(0), 3)).toEqualTypeOf<[Key, Key, Key]>();
    expectTypeOf(split(key(0), 9)).toEqualTypeOf<Key[]>();
  });

  it('let implementations be used as the contracts they meet', () => {
    const sampler = langevin({ energy: (p: Params) => p.w, stepSize: 0.1, temperature: 1 });
    expectTypeOf(sampler).toExtend<Algorithm<Params, { readonly position: Params }, { readonly energy: Scalar }>>();
    expectTypeOf(adam({ learningRate: 0.1 })).toExtend<Optimizer>();
    expectTypeOf<Divergence['requires']['order']>().toEqualTypeOf<1 | 2>();
  });
});
