import { jsRuntime } from '@bpc/compiler';
import { type Draws, kernelisedSteinDiscrepancy, series, unconstrainedDensity, unconstrainedLike } from '@bpc/samplers';
import { model, type Rows, train } from './model.js';

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** Mean and standard deviation of every parameter. */
export function moments(draws: Draws): { readonly mean: number; readonly deviation: number }[] {
  return series(draws).map(({ chains }) => {
    const all = chains.flatMap((chain) => Array.from(chain));
    const centre = mean(all);
    return { mean: centre, deviation: Math.sqrt(mean(all.map((x) => (x - centre) ** 2))) };
  });
}

/** How far other draws are from these: means in standard deviations (the largest), standard deviations as ratios (the average). */
export function difference(exact: Draws, other: Draws): { readonly shift: number; readonly spread: number } {
  const pairs = moments(exact).map((one, i) => [one, moments(other)[i] ?? { mean: Number.NaN, deviation: Number.NaN }] as const);
  return {
    shift: Math.max(...pairs.map(([one, two]) => Math.abs(two.mean - one.mean) / one.deviation)),
    spread: mean(pairs.map(([one, two]) => two.deviation / one.deviation)),
  };
}

/** Log likelihood per image in nats, and share of right answers, of probabilities averaged over all draws. */
export function predict(draws: Draws, { x, sign }: Rows): { readonly logLikelihood: number; readonly accuracy: number } {
  const { weights = new Float64Array(), bias = new Float64Array() } = draws.values;
  const [count, features] = x.shape;
  const probabilities = Float64Array.from({ length: count }, (_, row) => {
    const rightness = bias.map((b, n) => {
      let logit = b;
      for (let f = 0; f < features; f++) logit += (weights[n * features + f] ?? 0) * (x.data[row * features + f] ?? 0);
      return 1 / (1 + Math.exp(-logit * (sign[row] ?? 0)));
    });
    return mean(rightness);
  });
  return { logLikelihood: mean(probabilities.map(Math.log)), accuracy: mean(probabilities.map((p) => (p > 0.5 ? 1 : 0))) };
}

/** Kernelised Stein discrepancy from the posterior of all training images. */
export async function steinDiscrepancy(draws: Draws): Promise<number> {
  const runtime = jsRuntime();
  const density = await runtime.density(unconstrainedDensity(model), unconstrainedLike(model.parameters), train);
  const { size } = density;
  const positions = draws.unconstrained;
  const gradients = new Float64Array(positions.length);
  for (let at = 0; at < positions.length; at += size) {
    await density.evaluate(positions.subarray(at, at + size), gradients.subarray(at, at + size));
  }
  await runtime.dispose();
  // The posterior's standard deviations are about 0.1.
  return kernelisedSteinDiscrepancy(positions, gradients, { size, kernel: { lengthScale: 0.5 } }).discrepancy;
}
