import type { Tensor } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { OpCase, Result } from './case.js';

export type Expected = { readonly data: readonly number[]; readonly shape: readonly number[]; readonly dtype: string };

export const list = (result: Result): Tensor[] => (Array.isArray(result) ? result : [result]);

/** What a case must give: eager tfjs, or the closed form where the table has one. */
export function expectedOf({ run, truth }: OpCase, args: readonly Tensor[]): Expected[] {
  const exact = truth?.values(...args.map((x) => Array.from(x.dataSync())));
  return list(run(...args)).map((x, i) => ({ data: exact?.[i] ?? Array.from(x.dataSync()), shape: x.shape, dtype: x.dtype }));
}

/** Equal up to `tolerance`·max(1, |expected|), NaN where NaN is expected; the sign of a zero does not count. */
export function expectAgreement(found: readonly Expected[], expected: readonly Expected[], { name, tolerance = 2e-5 }: OpCase): void {
  const kinds = (values: readonly Expected[]) => values.map(({ dtype, shape }) => `${dtype}[${shape}]`);
  expect(kinds(found), name).toEqual(kinds(expected));
  expected.forEach(({ data, dtype }, output) => {
    expect(found[output]!.data.length, name).toBe(data.length);
    data.forEach((want, i) => {
      const have = found[output]!.data[i]!;
      const exact = dtype !== 'float32' || !Number.isFinite(want);
      const close = exact ? Object.is(have + 0, want + 0) : Math.abs(have - want) <= tolerance * Math.max(1, Math.abs(want));
      if (!close) expect.fail(`${name}: output ${output}[${i}] is ${have}, expected ${want}`);
    });
  });
}
