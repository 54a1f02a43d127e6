import { ConfigError, ShapeError } from '@bpc/core';

/** Inverse multiquadric kernel k(x, y) = (c² + ‖x − y‖²/ℓ²)^β. */
export interface SteinKernel {
  /** c. Default 1. */
  readonly offset?: number;
  /** β in (−1, 0), where the discrepancy controls convergence. Default −½. */
  readonly exponent?: number;
  /** ℓ, the bandwidth, in the unit of the positions; `'median'` takes the median distance. Default 1. */
  readonly lengthScale?: number | 'median';
}

export interface SteinOptions {
  /** d, numbers per position. */
  readonly size: number;
  readonly kernel?: SteinKernel;
}

/** How far a sample is from a target, with the statistics it comes from. */
export interface SteinDiscrepancy {
  /** √V: 0 only if they agree, whatever the target's normalising constant. */
  readonly discrepancy: number;
  /** Mean of the Stein kernel over all pairs: the squared discrepancy of the sample as a distribution of its own. */
  readonly vStatistic: number;
  /** Mean over pairs of different draws: unbiased for independent draws, 0 in the mean if they have the target's law. */
  readonly uStatistic: number;
  /** ℓ as used. */
  readonly lengthScale: number;
}

/** Enough points for a median of distances. */
const MEDIAN_POINTS = 500;

function squaredDistance(positions: Float64Array, size: number, i: number, j: number): number {
  let sum = 0;
  for (let k = 0; k < size; k++) sum += ((positions[i * size + k] as number) - (positions[j * size + k] as number)) ** 2;
  return sum;
}

/** Median distance of pairs, of evenly spaced draws if there are many. */
function medianDistance(positions: Float64Array, size: number): number {
  const draws = positions.length / size;
  const count = Math.min(draws, MEDIAN_POINTS);
  const points = Array.from({ length: count }, (_, i) => Math.floor((i * draws) / count));
  const distances = Float64Array.from(
    points.flatMap((i, a) => points.slice(0, a).map((j) => Math.sqrt(squaredDistance(positions, size, i, j)))),
  ).sort();
  return distances[distances.length >> 1] ?? Number.NaN;
}

function check(positions: Float64Array, gradients: Float64Array, size: number): void {
  if (!(Number.isInteger(size) && size > 0 && positions.length >= 2 * size && positions.length % size === 0)) {
    throw new ShapeError(
      `positions has ${positions.length} entries of size ${size}, expected at least two positions`,
      'pass [draws, size] in C order and the size',
    );
  }
  if (gradients.length !== positions.length) {
    throw new ShapeError(
      `gradients has ${gradients.length} entries and positions ${positions.length}, expected as many`,
      'pass the gradient of the log density at every position',
    );
  }
}

/**
 * Kernelised Stein discrepancy of draws from a target: it needs gradients of the log density only, so it also sees the bias
 * of samplers without an accept step (SGLD, SGHMC), for which R-hat and ESS are blind.
 *
 *     u(x, y) = k g(x)ᵀg(y) + g(x)ᵀ∇_y k + g(y)ᵀ∇_x k + ∇_x·∇_y k,   V = 1/n² Σ_{ij} u,   U = 1/(n(n − 1)) Σ_{i≠j} u
 *
 * with g = ∇ log p and the inverse multiquadric kernel, whose discrepancy tends to 0 only if the sample tends to the target
 * (Liu, Lee & Jordan 2016, eq. 14; Gorham & Mackey 2017, theorem 8). Takes O(n²d) time: thin long chains to a few thousand draws.
 *
 * @param positions draws on the unconstrained space, `[n, d]` in C order, e.g. `draws.unconstrained`.
 * @param gradients ∇ log p there, nats, over the full data; the same layout.
 * @returns NaN where positions or gradients are.
 * @throws ShapeError for lengths that do not fit; ConfigError for a kernel outside its domain.
 * @example
 * ```ts
 * import { kernelisedSteinDiscrepancy } from '@bpc/samplers';
 * const draws = Float64Array.of(-1.2, -0.5, 0, 0.5, 1.2); // against the standard normal, whose gradient is −x
 * const of = (x: Float64Array) => kernelisedSteinDiscrepancy(x, x.map((value) => -value), { size: 1 }).discrepancy;
 * console.log(of(draws) < of(draws.map((x) => x + 2))); // true
 * ```
 */
export function kernelisedSteinDiscrepancy(
  positions: Float64Array,
  gradients: Float64Array,
  { size, kernel = {} }: SteinOptions,
): SteinDiscrepancy {
  check(positions, gradients, size);
  const { offset = 1, exponent = -0.5, lengthScale: asked = 1 } = kernel;
  if (!(exponent > -1 && exponent < 0)) {
    throw new ConfigError(`kernel.exponent is ${exponent}, expected a number between -1 and 0`, 'leave it out for -0.5');
  }
  const lengthScale = asked === 'median' ? medianDistance(positions, size) : asked;
  for (const [name, value] of Object.entries({ offset, lengthScale })) {
    if (value <= 0) throw new ConfigError(`kernel.${name} is ${value}, expected a positive number`, 'leave it out for 1');
  }
  const draws = positions.length / size;
  const scale = 1 / lengthScale ** 2;
  let diagonal = 0;
  let others = 0;
  for (let i = 0; i < draws; i++) {
    for (let j = 0; j <= i; j++) {
      let distance = 0;
      let product = 0;
      let along = 0;
      for (let a = i * size, b = j * size; a < (i + 1) * size; a++, b++) {
        const difference = (positions[a] as number) - (positions[b] as number);
        const left = gradients[a] as number;
        const right = gradients[b] as number;
        distance += difference * difference;
        product += left * right;
        along += (right - left) * difference;
      }
      const base = offset * offset + distance * scale;
      // The usual exponent without a power, which would take longer than all else.
      const value = exponent === -0.5 ? 1 / Math.sqrt(base) : base ** exponent;
      // 2β·base^{β−1}/ℓ², the derivative of k by ½‖x − y‖².
      const slope = (2 * exponent * scale * value) / base;
      const curvature = (2 * (exponent - 1) * scale * slope) / base;
      const stein = value * product + slope * (along - size) - curvature * distance;
      if (i === j) diagonal += stein;
      else others += 2 * stein;
    }
  }
  const vStatistic = (diagonal + others) / draws ** 2;
  return { discrepancy: Math.sqrt(vStatistic), vStatistic, uStatistic: others / (draws * (draws - 1)), lengthScale };
}
