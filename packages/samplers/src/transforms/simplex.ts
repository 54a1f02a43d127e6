import { constant, type HostTensor, logSoftmax, scope } from '@bpc/core';
import { add, exp, matMul, reshape, type Scalar } from '@tensorflow/tfjs-core';
import type { Parameter } from './parameter.js';
import { checkCount, checkShape, indexOf, outside, readValue, sizeOf, total } from './support.js';

/** How far from 1 the sum of a given value may be: float32 rounding of a few numbers. */
const SUM_TOLERANCE = 1e-6;

/**
 * An orthonormal basis of the vectors that sum to zero (Helmert's), `[n − 1, n]` row by row: row i has i + 1 equal entries,
 * then one that balances them.
 */
function helmertBasis(n: number): Float64Array {
  const basis = new Float64Array((n - 1) * n);
  for (let i = 1; i < n; i++) {
    const weight = 1 / Math.sqrt(i * (i + 1));
    basis.fill(weight, (i - 1) * n, (i - 1) * n + i);
    basis[(i - 1) * n + i] = -i * weight;
  }
  return basis;
}

/**
 * A vector of n positive numbers that sum to 1: x = softmax(Vᵀu), the inverse of the isometric log-ratio transform, V
 * `[n − 1, n]` an orthonormal basis of the vectors that sum to zero. Its log-Jacobian, for the first n − 1 numbers of x, is
 * Σ_k log x_k + ½ log n.
 *
 * Egozcue et al. (2003), Isometric logratio transformations for compositional data analysis, Mathematical Geology 35(3);
 * Stan uses it from 2.37 on. It treats all coordinates alike, and u = 0 is the uniform vector.
 *
 * @param n Length of the vector.
 * @param batch Shape in front of it, for several vectors (rows of a transition matrix); the value has shape `[...batch, n]`.
 * @throws ConfigError unless `n` is an integer ≥ 2 and `batch` lists positive integers.
 * @example
 * ```ts
 * import { simplex } from '@bpc/samplers';
 * const parameters = { weights: simplex(3), transitions: simplex(2, [2]) };
 * ```
 */
export function simplex(n: number, batch: readonly number[] = []): Parameter {
  const rows = checkShape(batch, 'simplex(3, [2])');
  checkCount('simplex', n, 2);
  const shape = [...rows, n];
  const count = sizeOf(rows);
  const support = `simplex(${n})`;
  const basis = helmertBasis(n);
  return {
    support,
    shape,
    unconstrainedShape: [...rows, n - 1],
    constrain: (u) =>
      scope(() => {
        const scores = matMul(reshape(u, [count, n - 1]), constant({ data: basis, shape: [n - 1, n] }));
        const logs = logSoftmax(scores);
        return {
          value: reshape(exp(logs), shape),
          logJacobian: add<Scalar>(total(logs), constant((count * Math.log(n)) / 2)),
        };
      }),
    unconstrain(value: HostTensor) {
      const x = readValue(value, shape, support);
      x.forEach((share, k) => {
        if (share <= 0) throw outside(support, `value ${share} at ${indexOf(k, shape)}`, 'pass positive shares');
      });
      const u = new Float64Array(count * (n - 1));
      for (let row = 0; row < count; row++) {
        const shares = x.subarray(row * n, (row + 1) * n);
        const sum = shares.reduce((a, b) => a + b, 0);
        if (Math.abs(sum - 1) > SUM_TOLERANCE) {
          const where = rows.length === 0 ? 'a value' : `the row ${indexOf(row, rows)}`;
          throw outside(support, `${where} that sums to ${sum}`, 'divide the shares by their sum');
        }
        for (let i = 0; i < n - 1; i++) {
          u[row * (n - 1) + i] = shares.reduce((a, share, k) => a + (basis[i * n + k] ?? 0) * Math.log(share), 0);
        }
      }
      return u;
    },
  };
}
