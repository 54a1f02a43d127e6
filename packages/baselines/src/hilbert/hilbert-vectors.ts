import { ConfigError, ShapeError } from '@bpc/core';
import { checkMatrix, type RowMatrix } from '../row-matrix.js';
import { addScaled, norm } from '../vectors.js';

/** Points as vectors whose weighted sum should be that of all: what Hilbert coresets are made from. */
export interface HilbertVectors {
  /** L_n, `[points, dimensions]` row-major. */
  readonly data: Float64Array;
  readonly shape: readonly [points: number, dimensions: number];
  /** σ_n = ‖L_n‖; points with 0 say nothing and are never chosen. */
  readonly norms: Float64Array;
  /** L = Σ_n L_n. */
  readonly sum: Float64Array;
}

/**
 * Vectors of one's own, with their norms and sum.
 *
 * @throws ShapeError, ConfigError for vectors that are not finite, or that sum to zero.
 * @example
 * ```ts
 * import { giga, hilbertVectors } from '@bpc/baselines';
 * const vectors = hilbertVectors({ data: Float64Array.of(1, 0, 0, 1, 1, 1), shape: [3, 2] });
 * console.log(giga({ vectors, iterations: 1 })); // the third with weight 2: error 0
 * ```
 */
export function hilbertVectors(matrix: RowMatrix): HilbertVectors {
  checkMatrix('vectors', matrix);
  return describe(Float64Array.from(matrix.data), matrix.shape);
}

function describe(data: Float64Array, shape: readonly [number, number]): HilbertVectors {
  const [points, dimensions] = shape;
  const norms = new Float64Array(points);
  const sum = new Float64Array(dimensions);
  for (let n = 0; n < points; n++) {
    const start = n * dimensions;
    norms[n] = norm(data.subarray(start, start + dimensions));
    addScaled(sum, 1, data, start);
  }
  const largest = norms.reduce((a, b) => Math.max(a, b), 0);
  // What is left of vectors that cancel is rounding, which no coreset should follow.
  if (!(norm(sum) > 1e-12 * largest)) {
    throw new ConfigError(
      largest === 0 ? 'every vector is zero' : 'the vectors sum to zero, so that the empty coreset is exact',
      'draw parameters from a wider distribution: log-likelihoods must differ from draw to draw',
    );
  }
  return { data, shape, norms, sum };
}

/** A log-likelihood matrix, and when a row counts as constant. */
export interface ProjectOptions {
  /** f(x_n, θ_s), `[points, draws]` row-major, in nats. */
  readonly logLikelihoods: RowMatrix;
  /**
   * Rows whose spread is at most this times their largest entry are rounding, and become zero vectors. Default 1e-12, for
   * float64; 1e-6 fits float32 likelihoods.
   */
  readonly tolerance?: number;
}

/**
 * Log-likelihoods at S draws as vectors: `L_n = S^{-1/2} [f(x_n, θ_s) − mean_s f(x_n, ·)]_s`.
 *
 * The draws come from a cheap approximation π̂ of the posterior (Laplace, or the posterior of a weighted subset);
 * `⟨L_n, L_m⟩` estimates the covariance of two log-likelihoods under it, and `‖L − Σ w_n L_n‖` how far the log-likelihood of a
 * weighted subset is from that of all points, up to a constant. Campbell & Broderick 2019, random projection.
 *
 * @throws ShapeError unless the matrix is `[points, draws]` with at least two draws; ConfigError for log-likelihoods that are
 * not finite, or constant in all rows.
 * @example
 * ```ts
 * import { giga, projectLogLikelihoods } from '@bpc/baselines';
 * // f(x, θ) = −(x − θ)²/2 of three points at four draws.
 * const [points, draws] = [[-1, 0, 2], [-0.5, 0, 0.5, 1]];
 * const data = Float64Array.from(points.flatMap((x) => draws.map((theta) => -((x - theta) ** 2) / 2)));
 * const vectors = projectLogLikelihoods({ logLikelihoods: { data, shape: [3, 4] } });
 * console.log(giga({ vectors, iterations: 3 }).errors);
 * ```
 */
export function projectLogLikelihoods({ logLikelihoods, tolerance = 1e-12 }: ProjectOptions): HilbertVectors {
  checkMatrix('logLikelihoods', logLikelihoods);
  const { data, shape } = logLikelihoods;
  const [points, draws] = shape;
  if (draws < 2) throw new ShapeError('logLikelihoods has one draw, expected at least two', 'pass the log-likelihoods of more draws');
  const vectors = new Float64Array(data.length);
  for (let n = 0; n < points; n++) {
    const start = n * draws;
    let [sum, largest] = [0, 0];
    for (let i = start; i < start + draws; i++) {
      sum += data[i] as number;
      largest = Math.max(largest, Math.abs(data[i] as number));
    }
    const mean = sum / draws;
    let squares = 0;
    for (let i = start; i < start + draws; i++) {
      const centred = ((data[i] as number) - mean) / Math.sqrt(draws);
      vectors[i] = centred;
      squares += centred * centred;
    }
    if (Math.sqrt(squares) <= tolerance * largest) vectors.fill(0, start, start + draws);
  }
  return describe(vectors, shape);
}
