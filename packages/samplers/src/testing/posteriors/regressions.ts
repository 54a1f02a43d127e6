import { matMul, reshape, sub, type Tensor } from '@tensorflow/tfjs-core';
import { type Target, target } from '../../target.js';
import { positive, real } from '../../transforms/index.js';
import { column, number, type PosteriorData, rows } from './data.js';
import { cauchy, noise, normal, sumOf } from './densities.js';

/** y − X·beta, all `[n]`. */
const residuals = (y: Tensor, X: Tensor, beta: Tensor): Tensor => sub(y, reshape(matMul(X, reshape(beta, [beta.size, 1])), [y.size]));

/** A linear regression without intercept: beta ~ N(0, 10), sigma ~ half-normal(10). */
export function linearRegression(data: PosteriorData): Target {
  const X = rows(data, 'X');
  return target({
    parameters: { beta: real([X[0]?.length ?? 0]), sigma: positive() },
    data: { X, y: column(data, 'y') },
    logDensity: ({ beta, sigma }, { X, y }) => sumOf(normal(beta, 10), normal(sigma, 10), noise(residuals(y, X, beta), sigma)),
  });
}

/**
 * Test scores of children on their mothers' schooling and intelligence with interaction (Gelman & Hill 2006), covariates as
 * they are: beta flat, sigma ~ half-Cauchy(2.5).
 */
export function kidScores(data: PosteriorData): Target {
  const [school, iq] = [column(data, 'mom_hs'), column(data, 'mom_iq')];
  return target({
    parameters: { beta: real([4]), sigma: positive() },
    data: { X: school.map((s, i) => [1, s, iq[i] ?? 0, s * (iq[i] ?? 0)]), y: column(data, 'kid_score') },
    logDensity: ({ beta, sigma }, { X, y }) => sumOf(cauchy(sigma, 2.5), noise(residuals(y, X, beta), sigma)),
  });
}

/** An autoregression of order K, given the first K values: alpha, beta ~ N(0, 10), sigma ~ half-Cauchy(2.5). */
export function autoregression(data: PosteriorData): Target {
  const [y, order] = [column(data, 'y'), number(data, 'K')];
  const times = y.map((_, t) => t).slice(order);
  return target({
    parameters: { alpha: real(), beta: real([order]), sigma: positive() },
    data: { lags: times.map((t) => y.slice(t - order, t).reverse()), y: y.slice(order) },
    logDensity: ({ alpha, beta, sigma }, { lags, y }) =>
      sumOf(normal(alpha, 10), normal(beta, 10), cauchy(sigma, 2.5), noise(sub(residuals(y, lags, beta), alpha), sigma)),
  });
}
