import { ConfigError, ShapeError } from '@bpc/core';
import { momentsOf } from './chains.js';
import { logSumExp, paretoThreshold, psis } from './psis.js';

export interface PsisLooOptions {
  /** Number of data points n. */
  readonly points: number;
  /** Effective draws per draw, as for `psis`: one number, or one per point. Default 1. */
  readonly relativeEfficiency?: number | ArrayLike<number>;
}

/** Expected log predictive density of new data, by leaving out each point in turn, in nats. */
export interface PsisLoo {
  /** Σ over points of log p(yᵢ | y₋ᵢ). */
  readonly elpd: number;
  /** Of `elpd`, from how the points differ: √(n · variance), with divisor n − 1; NaN for one point. */
  readonly standardError: number;
  /** p_loo: by how much the fit to the data itself is better, the effective number of parameters. */
  readonly effectiveParameters: number;
  readonly draws: number;
  readonly points: number;
  readonly pointwise: {
    /** log p(yᵢ | y₋ᵢ). */
    readonly elpd: Float64Array;
    /** k̂ of each point: above `threshold` leaving it out changes the posterior too much for its draws to tell. */
    readonly paretoK: Float64Array;
  };
  readonly threshold: number;
  /** In words, if some k̂ are above the threshold. */
  readonly warning?: { readonly message: string; readonly remedy: string };
}

/**
 * Leave-one-out cross-validation from draws of one posterior.
 *
 *     elpd = Σᵢ log Σ_s w_is p(yᵢ | θ_s),  w_is ∝ 1/p(yᵢ | θ_s), smoothed by `psis`
 *
 * (Vehtari, Gelman & Gabry 2017, Statistics and Computing 27, eqs. 9–10 and 21).
 *
 * @param logLikelihood log p(yᵢ | θ_s) in nats, `[draws, points]` in C order: `draws.values['logLikelihood']` of a target that
 * reports it as a derived quantity.
 * @throws ShapeError if its length is no multiple of `points`; ConfigError if an entry is not finite.
 * @example
 * ```ts
 * import { psisLoo } from '@bpc/samplers';
 * const y = [0.3, -1.2, 0.8];
 * const mu = Float64Array.from({ length: 400 }, (_, s) => 0.8 * Math.sin(s * s));
 * const logLikelihood = Float64Array.from({ length: 1200 }, (_, i) => -0.5 * ((y[i % 3] ?? 0) - (mu[Math.floor(i / 3)] ?? 0)) ** 2);
 * const { elpd, effectiveParameters } = psisLoo(logLikelihood, { points: 3 });
 * console.log(elpd < 0, effectiveParameters > 0); // true true
 * ```
 */
export function psisLoo(logLikelihood: Float64Array, { points, relativeEfficiency = 1 }: PsisLooOptions): PsisLoo {
  const draws = logLikelihood.length / points;
  if (!(Number.isInteger(points) && points > 0 && Number.isInteger(draws) && draws > 0)) {
    throw new ShapeError(
      `logLikelihood has ${logLikelihood.length} entries for ${points} points, expected a positive multiple`,
      'pass [draws, points] in C order and the number of points',
    );
  }
  const bad = logLikelihood.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new ConfigError(
      `the log likelihood of point ${bad % points} at draw ${Math.floor(bad / points)} is ${logLikelihood[bad]}`,
      'leave the draw out, or find out why the model cannot produce that point there',
    );
  }
  const elpd = new Float64Array(points);
  const paretoK = new Float64Array(points);
  let fit = 0;
  for (let i = 0; i < points; i++) {
    const ofPoint = Float64Array.from({ length: draws }, (_, s) => logLikelihood[s * points + i] ?? Number.NaN);
    const efficiency = typeof relativeEfficiency === 'number' ? relativeEfficiency : (relativeEfficiency[i] ?? Number.NaN);
    const smoothed = psis(
      ofPoint.map((value) => -value),
      { relativeEfficiency: efficiency },
    );
    paretoK[i] = smoothed.paretoK;
    elpd[i] = logSumExp(ofPoint.map((value, s) => value + (smoothed.logWeights[s] ?? Number.NaN)));
    fit += logSumExp(ofPoint) - Math.log(draws);
  }
  const { mean, variance } = momentsOf(elpd);
  const threshold = paretoThreshold(draws);
  const high = paretoK.reduce((count, k) => count + (k > threshold ? 1 : 0), 0);
  return {
    elpd: mean * points,
    standardError: Math.sqrt((points * points * variance) / (points - 1)),
    effectiveParameters: fit - mean * points,
    draws,
    points,
    pointwise: { elpd, paretoK },
    threshold,
    ...(high === 0
      ? {}
      : {
          warning: {
            message: `k̂ is above ${threshold.toPrecision(2)} for ${high} of ${points} points: their contributions are not reliable`,
            remedy: 'fit again without each of these points, use K-fold cross-validation, or a likelihood with heavier tails',
          },
        }),
  };
}
