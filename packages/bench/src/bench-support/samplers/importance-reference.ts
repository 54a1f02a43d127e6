import { jsRuntime } from '@bpc/compiler';
import { ensureHostBackend, foldIn, type Key, key, normal } from '@bpc/core';
import type { ReferenceQuantity } from '@bpc/samplers/testing';
import { type SmallModelName, smallModels } from '../small-models/models.js';
import { reportedOf } from './posteriors.js';

/** Degrees of freedom of the proposal: tails heavier than the posterior's, so that no weight is large. */
const freedom = 10;

type SyncDensity = { readonly size: number; evaluate(position: Float64Array, gradient: Float64Array): number };

const sumSquares = (values: Float64Array): number => values.reduce((sum, v) => sum + v * v, 0);

/** Standard normal numbers. */
function normals(k: Key, count: number): Float64Array {
  const drawn = normal(k, [count]);
  const values = Float64Array.from(drawn.dataSync());
  drawn.dispose();
  return values;
}

/** −∂²log p by central differences of the gradient, `[size, size]`. */
function precisionAt({ size, evaluate }: SyncDensity, position: Float64Array): Float64Array {
  const precision = new Float64Array(size * size);
  const [above, below] = [new Float64Array(size), new Float64Array(size)];
  const step = 1e-5;
  for (let i = 0; i < size; i++) {
    const moved = (by: number) => position.map((v, k) => (k === i ? v + by : v));
    evaluate(moved(step), above);
    evaluate(moved(-step), below);
    for (let j = 0; j < size; j++) precision[i * size + j] = ((below[j] ?? 0) - (above[j] ?? 0)) / (2 * step);
  }
  return precision.map((v, at) => (v + (precision[(at % size) * size + Math.floor(at / size)] ?? 0)) / 2);
}

/** A with A·Aᵀ = `matrix`, lower triangular. */
function factor(matrix: Float64Array, size: number): Float64Array {
  const a = new Float64Array(size * size);
  const at = (i: number, j: number) => a[i * size + j] ?? 0;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j] ?? 0;
      for (let k = 0; k < j; k++) sum -= at(i, k) * at(j, k);
      a[i * size + j] = i === j ? Math.sqrt(sum) : sum / at(j, j);
    }
  }
  if (a.some(Number.isNaN)) throw new Error('the log density has no maximum where Newton’s method ended');
  return a;
}

/** x with Aᵀ·x = b, in place. */
function solveTransposed(a: Float64Array, b: Float64Array): Float64Array {
  const size = b.length;
  for (let i = size - 1; i >= 0; i--) {
    let sum = b[i] ?? 0;
    for (let k = i + 1; k < size; k++) sum -= (a[k * size + i] ?? 0) * (b[k] ?? 0);
    b[i] = sum / (a[i * size + i] ?? 0);
  }
  return b;
}

/** x with A·x = b, in place. */
function solve(a: Float64Array, b: Float64Array): Float64Array {
  const size = b.length;
  for (let i = 0; i < size; i++) {
    let sum = b[i] ?? 0;
    for (let k = 0; k < i; k++) sum -= (a[i * size + k] ?? 0) * (b[k] ?? 0);
    b[i] = sum / (a[i * size + i] ?? 0);
  }
  return b;
}

/** The mode by Newton's method, and a factor of the precision there. */
function modeOf(density: SyncDensity, start: Float64Array): { readonly mode: Float64Array; readonly factored: Float64Array } {
  const mode = start.slice();
  const gradient = new Float64Array(density.size);
  let factored = factor(precisionAt(density, mode), density.size);
  for (let i = 0; i < 20; i++) {
    density.evaluate(mode, gradient);
    solveTransposed(factored, solve(factored, gradient.slice())).forEach((move, k) => (mode[k] = (mode[k] ?? 0) + move));
    factored = factor(precisionAt(density, mode), density.size);
  }
  return { mode, factored };
}

type Weighted = { readonly positions: readonly Float64Array[]; readonly weights: Float64Array };

/** Draws of a Student t around the mode, weighted by p over their density; weights add up to 1. */
function weightedDraws(density: SyncDensity, count: number, start: Float64Array): Weighted {
  const { size } = density;
  const { mode, factored } = modeOf(density, start);
  const gradient = new Float64Array(size);
  const logWeights = new Float64Array(count);
  const positions = Array.from({ length: count }, (_, n) => {
    const noise = normals(foldIn(key(0), n), size + freedom);
    const shrink = Math.sqrt(freedom / sumSquares(noise.subarray(size)));
    const z = noise.slice(0, size).map((v) => v * shrink);
    const tail = ((freedom + size) / 2) * Math.log1p(sumSquares(z) / freedom);
    const position = solveTransposed(factored, z).map((v, k) => v + (mode[k] ?? 0));
    logWeights[n] = density.evaluate(position, gradient) + tail;
    return position;
  });
  const largest = logWeights.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const relative = logWeights.map((w) => Math.exp(w - largest));
  const total = relative.reduce((a, b) => a + b, 0);
  return { positions, weights: relative.map((w) => w / total) };
}

const probabilities = [0.05, 0.25, 0.5, 0.75, 0.95];

/** Weighted moments and quantiles of one quantity, with their Monte Carlo errors. */
function summarise(name: string, values: Float64Array, weights: Float64Array): ReferenceQuantity {
  const weighted = (f: (x: number) => number) => values.reduce((sum, x, n) => sum + (weights[n] ?? 0) * f(x), 0);
  const error = (f: (x: number) => number) => Math.sqrt(values.reduce((sum, x, n) => sum + ((weights[n] ?? 0) * f(x)) ** 2, 0));
  const mean = weighted((x) => x);
  const variance = weighted((x) => (x - mean) ** 2);
  const standardDeviation = Math.sqrt(variance);
  const order = Array.from(values.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const quantile = (p: number) => {
    let below = 0;
    const at = order.find((n) => (below += weights[n] ?? 0) >= p);
    return values[at ?? 0] ?? Number.NaN;
  };
  const effectiveDraws = 1 / sumSquares(weights);
  return {
    name,
    mean,
    mcseMean: error((x) => x - mean),
    standardDeviation,
    mcseStandardDeviation: error((x) => (x - mean) ** 2 - variance) / (2 * standardDeviation),
    quantiles: probabilities.map((probability) => ({ probability, value: quantile(probability), effectiveDraws })),
  };
}

/**
 * The reference of a model that posteriordb lacks, by importance sampling: no sampler's own, so that none can agree with its
 * own mistakes.
 *
 * The proposal is a Student t with the mode and curvature of the log density, which suits posteriors of one mode that
 * are nearly normal. Newton's method starts at `start`, by default 0, around which the log density must be concave.
 */
export async function importanceReference(
  name: SmallModelName,
  { count = 100_000, start }: { readonly count?: number; readonly start?: Float64Array } = {},
): Promise<ReferenceQuantity[]> {
  ensureHostBackend();
  const { like, data, logDensity } = smallModels[name]();
  const runtime = jsRuntime();
  try {
    const { size, evaluate } = await runtime.density(logDensity, like, data);
    // Densities of the js runtime answer at once.
    const density: SyncDensity = { size, evaluate: (position, gradient) => Number(evaluate(position, gradient)) };
    const { positions, weights } = weightedDraws(density, count, start ?? new Float64Array(size));
    const { names, report } = reportedOf[name];
    const columns = names.map(() => new Float64Array(count));
    const out = new Float64Array(names.length);
    positions.forEach((position, n) => {
      report(position, out);
      columns.forEach((column, k) => (column[n] = out[k] ?? Number.NaN));
    });
    return names.map((each, k) => summarise(each, columns[k] ?? new Float64Array(0), weights));
  } finally {
    await runtime.dispose();
  }
}
