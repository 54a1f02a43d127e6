import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '@bpc/core';
import { expect } from 'vitest';

type Tolerance = { readonly f32: number; readonly f64: number; readonly floor: number };

/** A topic of tooling/fixtures: hyper-parameters per case, tensors, and the comparison its README defines. */
export function loadFixture(topic: string) {
  const url = (extension: string) => new URL(`../../../../tooling/fixtures/${topic}.${extension}`, import.meta.url);
  const description = JSON.parse(readFileSync(url('json'), 'utf8')) as {
    cases: Record<string, Record<string, unknown>>;
    tensors: Record<string, { role: string; shape: number[]; dtype: string; tolerance?: Tolerance }>;
  };
  const { tensors } = decodeSafetensors(readFileSync(url('safetensors')));
  const get = (name: string) => {
    const entry = tensors.get(name);
    if (entry === undefined) throw new Error(`fixture ${topic} has no tensor ${name}`);
    return entry;
  };
  return {
    cases: description.cases,
    names: [...tensors.keys()],
    get,
    /** Asserts max|t − r| ≤ tol·max(max|r|, floor). */
    expectClose(name: string, values: ArrayLike<number>, precision: 'f32' | 'f64' = 'f32'): void {
      const { data } = get(name);
      const tolerance = description.tensors[name]?.tolerance;
      if (tolerance === undefined) throw new Error(`${name} has no tolerance`);
      expect(values.length, name).toBe(data.length);
      let [worst, scale] = [0, tolerance.floor];
      for (let i = 0; i < data.length; i++) {
        const difference = Math.abs((values[i] as number) - (data[i] as number));
        worst = Math.max(worst, difference); // NaN stays
        scale = Math.max(scale, Math.abs(data[i] as number));
      }
      expect(worst / scale, `${topic}: ${name}`).toBeLessThanOrEqual(tolerance[precision]);
    },
  };
}
