import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { gradDot } from '../autodiff.js';
import { hostNormal, key } from '../random.js';
import type { FlatDensity, HostTree, Runtime } from '../runtime.js';
import type { Tree } from '../tree.js';
import { relativeDeviation } from './close.js';

/** Options of `gradientCheck`. */
export interface GradientCheckOptions {
  /** Where to compute: the js runtime in float64 (a sharp check), or an eager one in float32 (a coarse one). */
  readonly runtime: Runtime;
  /** Highest derivative that is checked. Default 2. */
  readonly order?: 1 | 2;
  /** What the runtime computes in. Default: float64 for the runtime named `js`, float32 for others. */
  readonly precision?: 'float32' | 'float64';
  /** Step of the central differences. Default 1e-5 in float64, 1e-2 in float32. */
  readonly step?: number;
  /** Largest relative deviation. Default 1e-7 in float64, 5e-3 in float32. */
  readonly tolerance?: number;
  /** Seed of the direction in which second derivatives are taken. Default 0. */
  readonly seed?: number;
}

async function at(density: FlatDensity, position: Float64Array): Promise<{ readonly value: number; readonly gradient: Float64Array }> {
  const gradient = new Float64Array(density.size);
  const value = await density.evaluate(position, gradient);
  return { value, gradient };
}

/** (f(p + h d) − f(p − h d))/2h of a function with values in a vector space. */
async function difference(
  f: (position: Float64Array) => Promise<ArrayLike<number>>,
  position: Float64Array,
  d: Float64Array,
  h: number,
): Promise<Float64Array> {
  const ahead = await f(position.map((x, i) => x + h * (d[i] ?? 0)));
  const behind = await f(position.map((x, i) => x - h * (d[i] ?? 0)));
  return Float64Array.from(ahead, (value, i) => (value - (behind[i] ?? 0)) / (2 * h));
}

function demand(name: string, found: ArrayLike<number>, expected: Float64Array, tolerance: number): void {
  const deviation = relativeDeviation(found, expected, 1e-6);
  if (!(deviation <= tolerance)) {
    const show = (values: ArrayLike<number>) =>
      Array.from(values)
        .slice(0, 6)
        .map((x) => x.toPrecision(6))
        .join(', ');
    throw new Error(
      `${name} deviates by ${deviation} (tolerance ${tolerance}): found [${show(found)}], differences say [${show(expected)}]`,
    );
  }
}

/**
 * Throws unless the gradient of `f`, and at order 2 its Hessian-vector product, agree with central differences.
 *
 * The first derivative is compared with differences of `f` along every coordinate; ∇²f·v, computed as the gradient of
 * ⟨∇f, v⟩, with differences of ∇f along a random v. Choose points away from kinks by more than the step.
 *
 * @example
 * ```ts
 * import { type Scalar, sum, tanh, type Tensor } from '@tensorflow/tfjs-core';
 * import type { Runtime } from '@bpc/core';
 * import { gradientCheck } from '@bpc/core/testing';
 * const check = (runtime: Runtime) => gradientCheck((x: Tensor) => sum(tanh(x)) as Scalar, [0.3, -1], { runtime });
 * ```
 */
export async function gradientCheck<P extends Tree>(
  f: (params: P) => Tensor,
  point: HostTree,
  options: GradientCheckOptions,
): Promise<void> {
  const { runtime, order = 2, precision = runtime.name === 'js' ? 'float64' : 'float32', seed = 0 } = options;
  const fine = precision === 'float64';
  const { step = fine ? 1e-5 : 1e-2, tolerance = fine ? 1e-7 : 5e-3 } = options;
  const first = await runtime.density((params: P) => f(params) as Scalar, point);
  try {
    const position = first.flatten(point);
    const { gradient } = await at(first, position);
    const numeric = new Float64Array(first.size);
    for (let i = 0; i < first.size; i++) {
      const unit = new Float64Array(first.size);
      unit[i] = 1;
      numeric[i] = (await difference(async (p) => [(await at(first, p)).value], position, unit, step))[0] ?? Number.NaN;
    }
    demand('first derivative', gradient, numeric, tolerance);
    if (order === 1) return;
    const v = Float64Array.from(hostNormal(key(seed), first.size));
    const along = await runtime.density((params: P, direction: P) => gradDot(f)(params, direction), point, first.unflatten(v));
    try {
      const { gradient: product } = await at(along, position);
      demand('second derivative', product, await difference(async (p) => (await at(first, p)).gradient, position, v, step), tolerance);
    } finally {
      await along.dispose();
    }
  } finally {
    await first.dispose();
  }
}
