import { parseArgs } from 'node:util';

/** What a run spends. */
export interface Settings {
  /** N, points of the full data: a random subset of the training rows of a9a. */
  readonly points: number;
  /** M, sizes of coresets, ascending. */
  readonly sizes: readonly number[];
  /** Each seed has its own random starts, draws and chains; the data are the same in all. */
  readonly seeds: readonly number[];
  /** Chains of NUTS have this many transitions of warm-up and draws; four chains each. */
  readonly chain: { readonly warmup: number; readonly draws: number };
  /** Draws per chain of the posterior that all others are compared with. */
  readonly referenceDraws: number;
  readonly psviSteps: number;
  readonly sparseVi: {
    /** Sizes beyond this are left out: SparseVI fits all weights anew after each of its points. */
    readonly most: number;
    readonly reweightingSteps: number;
    /** i₀ of its steps: larger ones reach large weights sooner, smaller ones end nearer to the best. */
    readonly initialStep: number;
  };
  readonly giga: {
    /** Directions of the vectors: draws of the weighting posterior. */
    readonly draws: number;
    readonly iterations: number;
  };
  /** Folder of the picture and the figures. */
  readonly out: string;
}

const small = {
  points: 1000,
  sizes: [20, 60],
  seeds: 1,
  chain: { warmup: 300, draws: 500 },
  referenceDraws: 1000,
  psviSteps: 300,
  sparseVi: { most: 60, reweightingSteps: 20 },
  giga: { draws: 200, iterations: 300 },
};

const full = {
  points: 2000,
  sizes: [10, 20, 50, 100, 200, 500],
  seeds: 5,
  chain: { warmup: 500, draws: 1000 },
  referenceDraws: 4000,
  psviSteps: 1000,
  sparseVi: { most: 100, reweightingSteps: 20 },
  giga: { draws: 500, iterations: 1000 },
};

/** Settings by the command line: small ones, or with `--full` those of docs/results/tabular.md. */
export function settings(): Settings {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      seeds: { type: 'string' },
      'sparse-vi-step': { type: 'string', default: '10' },
      out: { type: 'string', default: 'bpc-out' },
    },
  });
  const { seeds, sparseVi, ...chosen } = values.full ? full : small;
  return {
    ...chosen,
    sparseVi: { ...sparseVi, initialStep: Number(values['sparse-vi-step']) },
    seeds: Array.from({ length: Number(values.seeds ?? seeds) }, (_, seed) => seed),
    out: values.out,
  };
}
