import './backend.js';
import { jsRuntime } from '@bpc/compiler';
import { type HostTree, scope, type Tree, treeEntries } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { cast, exp, gather, log1p, matMul, mul, neg, reshape, slice, square, stack, sub, sum } from '@tensorflow/tfjs-core';
import { loadFixture } from '../../../../tooling/fixtures/load.js';

/** Settings of one case of the topic. */
interface SamplerCase {
  readonly temperature: number;
  readonly transitions: number;
  readonly ula: { readonly stepSize: number };
  readonly sgld?: { readonly batch: number; readonly total: number };
  readonly mala: { readonly stepSize: number };
  readonly hmc: { readonly stepSize: number; readonly leapfrogSteps: number };
  readonly sghmc: { readonly stepSize: number; readonly friction: number };
  readonly priorPrecision?: number;
}

export const fixture = loadFixture<SamplerCase>('samplers');
export const CASES = ['gaussian', 'blr'] as const;
export type CaseName = (typeof CASES)[number];
export const settings = (name: CaseName): SamplerCase => fixture.cases[name]!;

/** The stored inputs below `prefix/`, by the last part of their name, as host arrays in float64. */
const hostInput = (name: string): HostTree => {
  const { shape, dtype } = fixture.entries[name]!;
  const values = fixture.values(name);
  return { data: dtype === 'int32' ? Int32Array.from(values) : Float64Array.from(values), shape };
};

export type Inputs = { readonly [name: string]: Tensor };
type Chain = (inputs: Inputs) => Tree;

/** Stored results that were compared so far. */
export const compared = new Set<string>();

/** Row i. */
export const row = (x: Tensor, i: number): Tensor =>
  reshape(slice(x, [i, ...x.shape.slice(1).map(() => 0)], [1, ...x.shape.slice(1)]), x.shape.slice(1));
export const rows = (xs: readonly Tensor[]): Tensor => stack([...xs]);

/** −U of a case; `minibatch` holds the indices of a batch, whose data term counts N/B times. */
export function logDensityOf(name: CaseName, inputs: Inputs): (theta: Tensor, minibatch?: Tree) => Scalar {
  if (name === 'gaussian') {
    return (theta) => mul(sum(mul(inputs['precision']!, square(sub(theta, inputs['mean']!)))), -0.5);
  }
  const [x, y] = [inputs['data']!, cast(inputs['labels']!, 'float32')];
  const { priorPrecision = 0 } = settings('blr');
  return (theta, minibatch) => {
    const batch = minibatch as Tensor | undefined;
    const [xs, ys] = batch === undefined ? [x, y] : [gather(x, batch), gather(y, batch)];
    const margins = mul(ys, reshape(matMul(xs, reshape(theta, [-1, 1])), [-1]));
    const likelihood = neg(sum(log1p(exp(neg(margins)))));
    const scale = (x.shape[0] ?? 0) / (xs.shape[0] ?? 1);
    return sub(mul(likelihood, scale), mul(sum(square(theta)), priorPrecision / 2));
  };
}

/** Runs a chain on tfjs cpu in float32 and on the js runtime in float64, and compares each result with what is stored. */
export async function expectChain(name: CaseName, prefix: string, needed: readonly string[], chain: Chain): Promise<void> {
  const model = name === 'gaussian' ? ['precision', 'mean'] : ['data', 'labels'];
  const names = [...model, 'initial', ...needed];
  const short = (input: string) => input.replace(`${prefix}/`, '').replaceAll('/', '_');
  const compare = (found: ReadonlyMap<string, ArrayLike<number>>, precision: 'f32' | 'f64') => {
    for (const [output, values] of found) {
      const stored = `${name}/${prefix === '' ? '' : `${prefix}/`}${output}`;
      compared.add(stored);
      if (fixture.entries[stored]!.dtype === 'int32') {
        const expected = [...fixture.values(stored)];
        if (expected.some((value, i) => value !== values[i]))
          throw new Error(`${stored} is ${[...Array.from(values)]}, expected ${expected}`);
      } else fixture.expectClose(stored, values, precision);
    }
  };
  const eager = new Map<string, ArrayLike<number>>();
  scope(() => {
    const inputs = Object.fromEntries(names.map((input) => [short(input), fixture.tensor(`${name}/${input}`)]));
    for (const [path, leaf] of treeEntries(chain(inputs))) eager.set(path, leaf.dataSync());
    return undefined;
  });
  compare(eager, 'f32');
  const runtime = jsRuntime();
  const host = Object.fromEntries(names.map((input) => [short(input), hostInput(`${name}/${input}`)]));
  const mapping = await runtime.mapping((_: { readonly unused: Tensor }, data: Inputs) => chain(data), { unused: 0 }, host);
  const out = new Float64Array(mapping.outputSize);
  await mapping.evaluate(Float64Array.of(0), out);
  let start = 0;
  const compiled = new Map(
    mapping.outputs.map(({ path, shape }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [path, out.subarray(start, (start += size))] as const;
    }),
  );
  compare(compiled, 'f64');
  await runtime.dispose();
}
