import { add, type GradConfig, matMul, mul, neg, type Tensor } from '@tensorflow/tfjs-core';
import { cholesky, triangularSolve } from '../linalg/linalg.js';
import { halvedLowerTriangle, lowerTriangle, transposed } from '../linalg/triangles.js';
import { rule } from './rule.js';

/** The symmetric part of S = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹. Above its diagonal L is constant: L̄ does not count there. */
function choleskyGradient(l: Tensor, dy: Tensor): Tensor {
  const half = triangularSolve(l, halvedLowerTriangle(matMul(l, dy, true, false)), { transpose: true });
  const s = triangularSolve(l, transposed(half), { transpose: true });
  return mul(0.5, add(s, transposed(s)));
}

/** Rules of the Cholesky factor and of triangular systems, made of each other. */
export const linearAlgebraRules: readonly GradConfig[] = [
  rule<object, 'a'>('Cholesky', ['a'], (dy, { a }) => ({ a: () => choleskyGradient(cholesky(a), dy) })),
  rule<{ transpose: boolean }, 'l' | 'b'>('TriangularSolve', ['l', 'b'], (dy, { l, b }, { transpose }) => {
    const db = triangularSolve(l, dy, { transpose: !transpose });
    const dl = () => {
      const x = triangularSolve(l, b, { transpose });
      return neg(lowerTriangle(transpose ? matMul(x, db, false, true) : matMul(db, x, false, true)));
    };
    return { l: dl, b: () => db };
  }),
];
