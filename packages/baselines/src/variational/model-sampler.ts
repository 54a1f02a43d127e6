import { disposeTree, type Key, laplaceDraws, type Model, type PosteriorDraws, type Program, type Runtime, type Tree } from '@bpc/core';
import { type Tensor, type Tensor1D, tensor1d } from '@tensorflow/tfjs-core';
import { logLikelihoods } from '../log-likelihoods.js';
import type { PointSource } from '../points.js';
import type { WeightedSampler } from './weighted-sampler.js';

/** Options of `modelSampler`. */
export interface ModelSamplerOptions<P extends Tree> {
  readonly model: Model<P>;
  readonly runtime: Runtime;
  readonly points: PointSource;
  /** Where the draws (the search of the mode) begin: any parameters of the model. Borrowed until the sampler is disposed. */
  readonly start: P;
  /** How parameters are drawn given the weighted points. Default `laplaceDraws()`, for models of few parameters. */
  readonly posterior?: PosteriorDraws;
  /** Points per run of the log-likelihood. Default 1024, or all if there are fewer. */
  readonly batch?: number;
}

/** A sampler that has programs to dispose. */
export interface ModelSampler {
  readonly sampler: WeightedSampler;
  dispose(): Promise<void>;
}

/**
 * A sampler for `sparseVi` from any `Model` of `@bpc/core` and any `PosteriorDraws`, compiled for a runtime.
 *
 * Programs know shapes, so that weighted points are filled up with points of weight 0 to the next power of two: a coreset that
 * grows to M points compiles log₂ M programs. A prior that is flat has no draws without points, so that it needs a proper one.
 * For regressions, `generalisedLinearModel` is exact to float64 and faster.
 *
 * @example
 * ```ts
 * import { jsRuntime } from '@bpc/compiler';
 * import { crossEntropyEnergy, gaussianPrior, key, supervised } from '@bpc/core';
 * import { arrayPoints, modelSampler, sparseVi } from '@bpc/baselines';
 * import { mlp } from '@bpc/models';
 * const runtime = jsRuntime();
 * const network = mlp({ inputShape: [1], outputs: 2, hidden: [] });
 * const model = supervised({ network, energy: crossEntropyEnergy(), prior: gaussianPrior({ precision: 1 }) });
 * const points = arrayPoints({
 *   x: { data: Float32Array.of(-2, -1, 1, 2), shape: [4, 1] },
 *   y: { data: Float32Array.of(1, 0, 1, 0, 0, 1, 0, 1), shape: [4, 2] },
 * });
 * const { sampler, dispose } = modelSampler({ model, runtime, points, start: network.init(key(0)) });
 * const path = await sparseVi({ sampler, count: 4, iterations: 2, draws: 20, reweightingSteps: 5, key: key(1) });
 * console.log(path.indices);
 * await dispose();
 * ```
 */
export function modelSampler<P extends Tree>(options: ModelSamplerOptions<P>): ModelSampler {
  const { model, runtime, points, start, posterior = laplaceDraws(), batch } = options;
  const table = logLikelihoods({ model, runtime, points, ...(batch === undefined ? {} : { batch }) });
  const programs = new Map<number, Program<[Key, P, Tensor, Tensor, Tensor1D], P>>();
  const programFor = (draws: number) => {
    const known = programs.get(draws);
    if (known !== undefined) return known;
    const learnable = { x: false, y: false, weights: true };
    const program = runtime.compile(
      (key: Key, expert: P, x: Tensor, y: Tensor, weights: Tensor1D): P =>
        posterior.draw(key, { model, coreset: { x, y, weights }, learnable, expert }, draws),
    );
    programs.set(draws, program);
    return program;
  };
  return {
    async sampler({ indices, weights, rows, draws, key }) {
      const room = 2 ** Math.ceil(Math.log2(Math.max(1, indices.length)));
      const read = await points.read(Int32Array.from({ length: room }, (_, i) => indices[i] ?? indices[0] ?? 0));
      const padded = tensor1d(
        Float32Array.from({ length: room }, (_, i) => weights[i] ?? 0),
        'float32',
      );
      let drawn: P | undefined;
      try {
        drawn = await programFor(draws)(key, start, read.x, read.y, padded);
        const { data } = await table.of(drawn, rows);
        return data;
      } finally {
        disposeTree([read, padded]);
        disposeTree(drawn);
      }
    },
    async dispose() {
      for (const program of programs.values()) await program.dispose();
      await table.dispose();
    },
  };
}
