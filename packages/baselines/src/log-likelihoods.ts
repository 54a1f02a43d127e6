import { checkInteger, disposeTree, type Model, type Program, type Runtime, ShapeError, type Tree, treeLeaves, treeMap } from '@bpc/core';
import { gather, reshape, slice, stack, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import type { PointSource } from './points.js';
import type { RowMatrix } from './row-matrix.js';

/** How log-likelihoods of many points at many draws are computed. */
export interface LogLikelihoodOptions<P extends Tree> {
  readonly model: Model<P>;
  readonly runtime: Runtime;
  readonly points: PointSource;
  /** Points per run of the program. Default 1024, or all if there are fewer. */
  readonly batch?: number;
  /** Draws per run of the program. Default 8: enough to read each batch once for many draws. */
  readonly drawsAtOnce?: number;
}

/** A compiled table of log-likelihoods, for any draws of one model and any of its points. */
export interface LogLikelihoods<P extends Tree> {
  /**
   * f(x_n, θ_s) of the points at `rows` (default: all), `[rows, draws]`. `draws` is stacked along axis 0 of every leaf; borrowed.
   *
   * @throws ShapeError unless all leaves have equally many draws.
   */
  of(draws: P, rows?: Int32Array): Promise<RowMatrix & { readonly data: Float64Array }>;
  dispose(): Promise<void>;
}

function drawCount(draws: Tree): number {
  const counts = treeLeaves(draws).map(({ shape }) => shape[0] ?? 0);
  const [count = 0] = counts;
  if (count < 1 || counts.some((other) => other !== count))
    throw new ShapeError(`draws has leaves of [${counts}] draws, expected one number ≥ 1`, 'stack the draws along axis 0 of every leaf');
  return count;
}

/**
 * Compiles `model.logLikelihood` for batches of points and blocks of draws: every batch is read once per call, and every call
 * of a model uses one program.
 *
 * Values are as exact as the runtime's programs are, float32 on most.
 *
 * @throws ConfigError for a batch or a block of draws that is no integer ≥ 1.
 * @example
 * ```ts
 * import { jsRuntime } from '@bpc/compiler';
 * import { crossEntropyEnergy, gaussianPrior, key, normal, supervised } from '@bpc/core';
 * import { arrayPoints, logLikelihoods, projectLogLikelihoods } from '@bpc/baselines';
 * import { mlp } from '@bpc/models';
 * const network = mlp({ inputShape: [2], outputs: 2, hidden: [] });
 * const model = supervised({ network, energy: crossEntropyEnergy(), prior: gaussianPrior({ precision: 1 }) });
 * const points = arrayPoints({
 *   x: { data: Float32Array.of(0, 1, 2, 3), shape: [2, 2] },
 *   y: { data: Float32Array.of(1, 0, 0, 1), shape: [2, 2] },
 * });
 * const table = logLikelihoods({ model, runtime: jsRuntime(), points });
 * const draws = { dense: { kernel: normal(key(0), [5, 2, 2]), bias: normal(key(1), [5, 2]) } };
 * console.log(projectLogLikelihoods({ logLikelihoods: await table.of(draws) }).norms);
 * await table.dispose();
 * ```
 */
export function logLikelihoods<P extends Tree>(options: LogLikelihoodOptions<P>): LogLikelihoods<P> {
  const { model, runtime, points, batch = Math.min(1024, points.count), drawsAtOnce = 8 } = options;
  checkInteger('batch', batch, 1);
  checkInteger('drawsAtOnce', drawsAtOnce, 1);
  const program: Program<[P, Tensor, Tensor], Tensor> = runtime.compile((draws: P, x: Tensor, y: Tensor): Tensor => {
    const columns = Array.from({ length: drawsAtOnce }, (_, s) => {
      const params = treeMap((leaf) => reshape(slice(leaf, [s], [1]), leaf.shape.slice(1)), draws);
      return model.logLikelihood(params, { x, y });
    });
    return stack(columns, 1);
  });

  /** Blocks of equally many draws; the last one is filled up with its first draw. */
  const blocksOf = (draws: P, count: number): P[] =>
    Array.from({ length: Math.ceil(count / drawsAtOnce) }, (_, block) => {
      const from = block * drawsAtOnce;
      const places = tensor1d(
        Int32Array.from({ length: drawsAtOnce }, (_v, s) => (from + s < count ? from + s : from)),
        'int32',
      );
      try {
        return treeMap((leaf) => gather(leaf, places), draws);
      } finally {
        disposeTree(places);
      }
    });

  return {
    async of(draws, rows = Int32Array.from({ length: points.count }, (_, n) => n)) {
      const count = drawCount(draws);
      const data = new Float64Array(rows.length * count);
      const blocks = blocksOf(draws, count);
      try {
        for (let start = 0; start < rows.length; start += batch) {
          const indices = Int32Array.from({ length: batch }, (_, i) => rows[start + i] ?? rows[start] ?? 0);
          const read = await points.read(indices);
          try {
            for (const [block, chosen] of blocks.entries()) {
              const columns = await program(chosen, read.x, read.y);
              const values = await columns.data();
              disposeTree(columns);
              const used = Math.min(drawsAtOnce, count - block * drawsAtOnce);
              for (let i = 0; i < Math.min(batch, rows.length - start); i++) {
                for (let s = 0; s < used; s++)
                  data[(start + i) * count + block * drawsAtOnce + s] = values[i * drawsAtOnce + s] ?? Number.NaN;
              }
            }
          } finally {
            disposeTree(read);
          }
        }
      } finally {
        blocks.forEach(disposeTree);
      }
      return { data, shape: [rows.length, count] };
    },
    dispose: () => program.dispose(),
  };
}
