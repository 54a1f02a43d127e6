import { constant, type HostTensor, scope } from '@bpc/core';
import { add, concat, cumsum, exp, mul, pad, reshape, slice, softplus, sub, type Tensor, tanh } from '@tensorflow/tfjs-core';
import type { Parameter } from './parameter.js';
import { checkCount, indexOf, outside, readValue, total } from './support.js';

/** How far from what they should be entries of a given factor may be: float32 rounding of a row. */
const TOLERANCE = 1e-6;

/** An n × n constant with entries `f(i, j)`. */
const matrix = (n: number, f: (i: number, j: number) => number): Tensor =>
  constant({ data: Float64Array.from({ length: n * n }, (_, k) => f(Math.floor(k / n), k % n)), shape: [n, n] });

/** The numbers of `u` as rows of a triangle, zeros right of them. Slices and pads, which differentiate on every backend. */
function triangle(u: Tensor, n: number, lengthOfRow: (i: number) => number): Tensor {
  let start = 0;
  const rows = Array.from({ length: n }, (_, i) => {
    const length = lengthOfRow(i);
    if (length === 0) return constant({ data: new Float64Array(n), shape: [1, n] });
    const row = pad(slice(u, [start], [length]), [[0, n - length]]);
    start += length;
    return reshape(row, [1, n]);
  });
  return concat(rows, 0);
}

/** Throws unless `L` is lower triangular with a positive diagonal. */
function checkTriangle(L: Float64Array, n: number, support: string): void {
  L.forEach((entry, k) => {
    const [i, j] = [Math.floor(k / n), k % n];
    const where = `value ${entry} at ${indexOf(k, [n, n])}`;
    if (j > i && Math.abs(entry) > TOLERANCE) throw outside(support, where, 'pass the lower triangle, zeros above the diagonal');
    if (i === j && !(entry > 0)) throw outside(support, where, 'pass a factor with a positive diagonal');
  });
}

/**
 * The Cholesky factor L `[n, n]` of a correlation matrix: lower triangular, positive diagonal, rows of length 1.
 *
 * With canonical partial correlations z_ij = tanh u_ij, row by row below the diagonal: L_ij = z_ij·√∏_{k<j}(1 − z_ik²) and
 * L_ii = √∏_{k<i}(1 − z_ik²). The log-Jacobian, for the entries below the diagonal (indices from 0), is
 * Σ_{j<i} (i − j + 1)·log sech u_ij. Lewandowski, Kurowicka and Joe (2009), Journal of Multivariate Analysis 100(9); Stan
 * reference manual, Cholesky factors of correlation matrices. Everything is computed from log sech, so that correlations
 * next to ±1 keep their digits.
 *
 * A density of the correlation matrix Ω = LLᵀ rather than of L needs the volume of L ↦ Ω, too: Σ_i (n − 1 − i)·log L_ii, as it
 * is in Stan's `lkj_corr_cholesky`.
 *
 * @throws ConfigError unless `n` is an integer ≥ 2.
 * @example
 * ```ts
 * import { choleskyCorrelation, positive } from '@bpc/samplers';
 * const parameters = { scales: positive([3]), correlation: choleskyCorrelation(3) };
 * ```
 */
export function choleskyCorrelation(n: number): Parameter {
  checkCount('choleskyCorrelation', n, 2);
  const support = `choleskyCorrelation(${n})`;
  return {
    support,
    shape: [n, n],
    unconstrainedShape: [(n * (n - 1)) / 2],
    constrain: (u) =>
      scope(() => {
        const angles = triangle(u, n, (i) => i);
        // log sech u = log 2 + u − log(1 + e^2u); zero where the triangle has zeros.
        const logSech = sub(add(angles, constant(Math.LN2)), softplus(mul(angles, 2)));
        const rest = cumsum(logSech, 1, true);
        const identity = matrix(n, (i, j) => +(i === j));
        return {
          value: mul(add(tanh(angles), identity), exp(rest)),
          logJacobian: total(
            mul(
              logSech,
              matrix(n, (i, j) => (j < i ? i - j + 1 : 0)),
            ),
          ),
        };
      }),
    unconstrain(value: HostTensor) {
      const L = readValue(value, [n, n], support);
      checkTriangle(L, n, support);
      const u = new Float64Array((n * (n - 1)) / 2);
      let next = u.length;
      for (let i = n - 1; i >= 0; i--) {
        // sinh u_ij = L_ij/√Σ_{k>j} L_ik²: no difference of nearly equal numbers, from the diagonal leftwards.
        let squares = (L[i * n + i] ?? 0) ** 2;
        for (let j = i - 1; j >= 0; j--) {
          const entry = L[i * n + j] ?? 0;
          next -= 1;
          u[next] = Math.asinh(entry / Math.sqrt(squares));
          squares += entry ** 2;
        }
        if (Math.abs(squares - 1) > TOLERANCE) {
          throw outside(support, `row ${i}, of squared length ${squares},`, 'pass the factor of a matrix with ones on its diagonal');
        }
      }
      return u;
    },
  };
}

/**
 * The Cholesky factor L `[n, n]` of a covariance matrix: lower triangular with a positive diagonal.
 *
 * Row by row, L_ij = u_ij below the diagonal and L_ii = exp u_ii, with log-Jacobian Σ u_ii. A density of the covariance
 * Σ = LLᵀ rather than of L needs the volume of L ↦ Σ, too: n log 2 + Σ_i (n − i)·log L_ii (indices from 0).
 *
 * @throws ConfigError unless `n` is a positive integer.
 * @example
 * ```ts
 * import { choleskyCovariance } from '@bpc/samplers';
 * const scale = choleskyCovariance(2);
 * ```
 */
export function choleskyCovariance(n: number): Parameter {
  checkCount('choleskyCovariance', n, 1);
  const support = `choleskyCovariance(${n})`;
  return {
    support,
    shape: [n, n],
    unconstrainedShape: [(n * (n + 1)) / 2],
    constrain: (u) =>
      scope(() => {
        const rows = triangle(u, n, (i) => i + 1);
        const identity = matrix(n, (i, j) => +(i === j));
        const logs = mul(rows, identity);
        return {
          value: add(
            mul(
              rows,
              matrix(n, (i, j) => +(j < i)),
            ),
            mul(exp(logs), identity),
          ),
          logJacobian: total(logs),
        };
      }),
    unconstrain(value: HostTensor) {
      const L = readValue(value, [n, n], support);
      checkTriangle(L, n, support);
      return Float64Array.from(
        Array.from({ length: n }, (_, i) =>
          Array.from({ length: i + 1 }, (__, j) => (i === j ? Math.log : Number)(L[i * n + j] ?? 0)),
        ).flat(),
      );
    },
  };
}
