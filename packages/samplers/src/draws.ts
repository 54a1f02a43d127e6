/** One reported quantity. */
export interface Variable {
  /** Path in the parameter tree, names joined by `/`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether it is a parameter, or computed from parameters. */
  readonly kind: 'parameter' | 'derived';
}

/** Draws of all chains: typed arrays in C order, float64. */
export interface Draws {
  /** C. */
  readonly chains: number;
  /** N, kept draws per chain. */
  readonly length: number;
  readonly variables: readonly Variable[];
  /** Values on their supports by name, each `[C, N, …shape]`. */
  readonly values: Readonly<Record<string, Float64Array>>;
  /** What the sampler says about each draw, by name (`logDensity`, `acceptance`, `divergent`, `depth`, …), each `[C, N]`. */
  readonly statistics: Readonly<Record<string, Float64Array>>;
  /** Unconstrained positions, `[C, N, size]`. */
  readonly unconstrained: Float64Array;
  /** Draws of the warm-up, if they were asked for; they are no sample of the target. */
  readonly warmup?: Draws;
  /** True if the run was stopped before all draws were made. */
  readonly interrupted: boolean;
  /** What made them: version of this package, algorithm, settings, step size and metric of each chain, seconds, runtime. JSON. */
  readonly provenance: Readonly<Record<string, unknown>>;
}

/** The chains of one scalar quantity, `theta[2]` or `covariance[0,1]` (indices from 0): C arrays of N numbers. */
export interface Series {
  readonly name: string;
  readonly chains: readonly Float64Array[];
}

const indexNames = (shape: readonly number[]): string[] =>
  shape.reduce<string[]>(
    (names, length) => names.flatMap((name) => Array.from({ length }, (_, i) => (name === '' ? `${i}` : `${name},${i}`))),
    [''],
  );

/** Every scalar quantity of `draws`, in order, as chains: what diagnostics and plots take. Copies. */
export function series(draws: Draws): Series[] {
  const { chains, length, variables, values } = draws;
  return variables.flatMap(({ name, shape }) => {
    const indices = indexNames(shape);
    const width = indices.length;
    const data = values[name] ?? new Float64Array(0);
    return indices.map((index, k) => ({
      name: index === '' ? name : `${name}[${index}]`,
      chains: Array.from({ length: chains }, (_, c) => {
        const chain = new Float64Array(length);
        for (let n = 0; n < length; n++) chain[n] = data[(c * length + n) * width + k] ?? Number.NaN;
        return chain;
      }),
    }));
  });
}
