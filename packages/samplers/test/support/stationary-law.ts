/** Mean and variance of a law, and its probability above a threshold. */
export interface Law {
  readonly mean: number;
  readonly variance: number;
  above(threshold: number): number;
}

/** The covariance of z ← A z + N(0, Q) at rest, the discrete Lyapunov equation Σ = A Σ Aᵀ + Q, for 2 by 2 matrices. */
export function lyapunov(a: Matrix2, q: Matrix2): Matrix2 {
  let sigma: Matrix2 = q;
  // Doubling: Σ_{2n} = Σ_n + Aⁿ Σ_n Aⁿᵀ.
  let power = a;
  for (let i = 0; i < 60; i++) {
    sigma = plus(sigma, product(product(power, sigma), transposed(power)));
    power = product(power, power);
  }
  return sigma;
}

export type Matrix2 = readonly [readonly [number, number], readonly [number, number]];
export const product = (a: Matrix2, b: Matrix2): Matrix2 => {
  const at = (i: 0 | 1, j: 0 | 1) => a[i][0] * b[0][j] + a[i][1] * b[1][j];
  return [
    [at(0, 0), at(0, 1)],
    [at(1, 0), at(1, 1)],
  ];
};
export const transposed = ([[a, b], [c, d]]: Matrix2): Matrix2 => [
  [a, c],
  [b, d],
];
const plus = (a: Matrix2, b: Matrix2): Matrix2 => [
  [a[0][0] + b[0][0], a[0][1] + b[0][1]],
  [a[1][0] + b[1][0], a[1][1] + b[1][1]],
];

/** Midpoints of equal cells. */
export interface Grid {
  readonly low: number;
  readonly width: number;
  readonly count: number;
}
const grid = (low: number, high: number, count: number): Grid => ({ low, width: (high - low) / count, count });
const pointsOf = ({ low, width, count }: Grid) => Float64Array.from({ length: count }, (_, i) => low + (i + 0.5) * width);
const normalDensity = (x: number, sd: number) => Math.exp(-0.5 * (x / sd) ** 2) / (sd * Math.sqrt(2 * Math.PI));

function lawOf({ width, ...cells }: Grid, weights: Float64Array): Law {
  const points = pointsOf({ width, ...cells });
  const total = weights.reduce((a, b) => a + b, 0);
  const average = (of: (x: number) => number) => points.reduce((sum, x, i) => sum + of(x) * weights[i]!, 0) / total;
  const mean = average((x) => x);
  return {
    mean,
    variance: average((x) => (x - mean) ** 2),
    above: (threshold) => average((x) => Math.min(1, Math.max(0, (x - threshold) / width + 0.5))),
  };
}

/**
 * The law at rest of a chain on the line whose next position is N(drift(x), spread(x)²), by quadrature of its kernel: the mass
 * of each cell is pushed through the kernel until nothing changes.
 */
export function lineLaw(options: {
  readonly drift: (x: number) => number;
  readonly spread: (x: number) => number;
  readonly low: number;
  readonly high: number;
  readonly count?: number;
}): Law {
  const { drift, spread, low, high, count = 1200 } = options;
  const cells = grid(low, high, count);
  const points = pointsOf(cells);
  const kernel = Array.from(points, (x) => {
    const [centre, sd] = [drift(x), spread(x)];
    const row = points.map((y) => normalDensity(y - centre, sd) * cells.width);
    const mass = row.reduce((a, b) => a + b, 0);
    // What leaves the window at its edges, where there is next to no mass, stays.
    return mass > 0 ? row.map((value) => value / mass) : row;
  });
  return lawOf(
    cells,
    atRest(count, (mass) => push(kernel, mass)),
  );
}

function push(kernel: readonly Float64Array[], mass: Float64Array): Float64Array {
  const next = new Float64Array(mass.length);
  kernel.forEach((row, i) => {
    const weight = mass[i]!;
    if (weight < 1e-18) return;
    for (let j = 0; j < next.length; j++) next[j]! += weight * row[j]!;
  });
  return next;
}

/** Applies a linear map to a uniform start until its changes are below 10⁻¹⁰. */
function atRest(size: number, apply: (mass: Float64Array) => Float64Array): Float64Array {
  let mass = new Float64Array(size).fill(1 / size);
  for (let i = 0; i < 5000; i++) {
    const next = apply(mass);
    const total = next.reduce((a, b) => a + b, 0);
    let change = 0;
    next.forEach((value, k) => {
      next[k] = value / total;
      change += Math.abs(next[k]! - mass[k]!);
    });
    mass = next as Float64Array<ArrayBuffer>;
    if (change < 1e-10) return mass;
  }
  throw new Error('the quadrature does not come to rest');
}

/** Cubic interpolation of values on a grid, 0 outside. */
function interpolate(values: Float64Array, cells: Grid, x: number, offset: number, stride: number): number {
  const at = (x - cells.low) / cells.width - 0.5;
  const i = Math.floor(at);
  if (i < 1 || i > cells.count - 3) return 0;
  const t = at - i;
  const value = (k: number) => values[offset + (i + k) * stride]!;
  return (
    (-t * (t - 1) * (t - 2) * value(-1)) / 6 +
    ((t + 1) * (t - 1) * (t - 2) * value(0)) / 2 -
    ((t + 1) * t * (t - 2) * value(1)) / 2 +
    ((t + 1) * t * (t - 1) * value(2)) / 6
  );
}

/** One part of a step in phase space, as a map of densities on the grid. */
type Part = (density: Float64Array) => Float64Array;

/**
 * The law of the position at rest of a chain in phase space (one position, one momentum), by quadrature of the parts of its
 * step: drifts θ ← θ + h p, kicks p ← p + h g(θ), and momenta N(c p, s²).
 */
export function phaseLaw(options: {
  readonly low: number;
  readonly high: number;
  /** Largest momentum of the grid, whose cells are 0.1 wide. */
  readonly momentum: number;
  readonly parts: (parts: {
    readonly drift: (h: number) => Part;
    readonly kick: (h: number, gradient: (x: number) => number) => Part;
    readonly renew: (kept: number, sd: number) => Part;
  }) => readonly Part[];
  readonly count?: number;
}): Law {
  const { low, high, momentum, parts, count = 240 } = options;
  const [xs, ps] = [grid(low, high, count), grid(-momentum, momentum, Math.round(20 * momentum))];
  const [x, p] = [pointsOf(xs), pointsOf(ps)];
  const each = (of: (i: number, j: number) => number) => {
    const out = new Float64Array(x.length * p.length);
    for (let i = 0; i < x.length; i++) for (let j = 0; j < p.length; j++) out[i * p.length + j] = of(i, j);
    return out;
  };
  const drift = (h: number) => (f: Float64Array) => each((i, j) => interpolate(f, xs, x[i]! - h * p[j]!, j, p.length));
  const kick = (h: number, gradient: (at: number) => number) => {
    const force = x.map(gradient);
    return (f: Float64Array) => each((i, j) => interpolate(f, ps, p[j]! - h * force[i]!, i * p.length, 1));
  };
  const renew = (kept: number, sd: number) => {
    const kernel = Array.from(p, (to) => p.map((from) => normalDensity(to - kept * from, sd) * ps.width));
    return (f: Float64Array) =>
      each((i, j) => {
        const row = kernel[j]!;
        let sum = 0;
        for (let k = 0; k < row.length; k++) sum += row[k]! * f[i * p.length + k]!;
        return sum;
      });
  };
  const sequence = parts({ drift, kick, renew });
  const density = atRest(x.length * p.length, (f) => sequence.reduce((g, part) => part(g), f));
  return lawOf(
    xs,
    x.map((_, i) => density.subarray(i * p.length, (i + 1) * p.length).reduce((a, b) => a + b, 0)),
  );
}
