import type { Draws, Variable } from '../src/draws.js';

/** Reproducible normal numbers for tests: independent of the library's own generators. */
export function testNormals(seed: number): () => number {
  // mulberry32, then Box and Muller.
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Chains x_t = ρ x_{t−1} + √(1 − ρ²) ε, standard normal in the long run. */
export function autoregressive(seed: number, chains: number, length: number, rho: number): Float64Array[] {
  const normal = testNormals(seed);
  return Array.from({ length: chains }, () => {
    let x = normal();
    return Float64Array.from({ length }, () => (x = rho * x + Math.sqrt(1 - rho * rho) * normal()));
  });
}

const SHAPES: readonly Variable[] = [
  { name: 'mu', shape: [], kind: 'parameter' },
  { name: 'group/tau', shape: [3], kind: 'parameter' },
  { name: 'covariance', shape: [2, 3], kind: 'derived' },
];

/** Independent normal draws of a scalar, a vector and a matrix, with all statistics of NUTS. */
export function testDraws(seed: number, chains: number, length: number, overrides: Partial<Draws> = {}): Draws {
  const normal = testNormals(seed);
  const normals = (size: number) => Float64Array.from({ length: chains * length * size }, normal);
  const of = (value: (normal: number) => number) => normals(1).map(value);
  return {
    chains,
    length,
    variables: SHAPES,
    values: Object.fromEntries(SHAPES.map(({ name, shape }) => [name, normals(shape.reduce((a, b) => a * b, 1))])),
    statistics: {
      logDensity: of((x) => -5 - x * x),
      acceptance: of((x) => 1 / (1 + Math.exp(-x - 1))),
      stepSize: of(() => 0.25),
      depth: of((x) => (x > 1 ? 3 : 2)),
      leapfrogSteps: of((x) => (x > 1 ? 7 : 3)),
      divergent: of(() => 0),
      maxDepthReached: of(() => 0),
      energy: of((x) => 5 + x),
    },
    unconstrained: normals(4),
    interrupted: false,
    provenance: {
      algorithm: 'nuts',
      warmup: 500,
      thin: 1,
      key: '0123',
      chains: Array.from({ length: chains }, () => ({ stepSize: 0.25 })),
    },
    ...overrides,
  };
}
