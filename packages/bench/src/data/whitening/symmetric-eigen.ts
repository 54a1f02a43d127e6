import { NonFiniteError } from '@bpc/core';

/** A = U Λ Uᵀ of a symmetric matrix. */
export interface SymmetricEigen {
  /** Ascending. */
  readonly values: Float64Array;
  /** Row `i` is the unit eigenvector of `values[i]`; row-major `[size, size]`. */
  readonly vectors: Float64Array;
}

/** An eigenvalue needs two or three sweeps; thirty is what EISPACK allows, too. */
const MOST_SWEEPS = 30;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, in float64.
 *
 * Householder reflections make it tridiagonal, implicit QL steps with Wilkinson's shift make that diagonal. Everything runs
 * along rows of row-major matrices, eigenvectors included, so that sizes of a few thousand (an image of 32 × 32 × 3 has
 * 3 072 values) take minutes. About `9 n³` operations. Source: G. Golub, C. Van Loan, "Matrix computations", §8.3.
 *
 * @param matrix - row-major `[size, size]`, of which the lower triangle is read; it is overwritten.
 * @param onProgress - told the share of the work that is done, between 0 and 1; may throw to stop.
 * @throws NonFiniteError if the matrix has a NaN or infinite element.
 * @example
 * ```ts
 * import { symmetricEigen } from '@bpc/bench';
 * const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
 * console.log(values, vectors.subarray(2)); // 1 and 3; the vector of 3 is (1, 1)/√2 or its negative
 * ```
 */
export function symmetricEigen(matrix: Float64Array, size: number, onProgress: (share: number) => void = () => undefined): SymmetricEigen {
  const finite = matrix.every((value) => Number.isFinite(value));
  if (!finite) throw new NonFiniteError('the covariance has an element that is not finite', 0, 'check the images for NaN');
  const diagonal = new Float64Array(size);
  const off = new Float64Array(size);
  const scales = tridiagonalise(matrix, size, diagonal, off, (share) => onProgress(0.3 * share));
  const vectors = accumulate(matrix, size, scales, (share) => onProgress(0.3 + 0.2 * share));
  diagonalise(diagonal, off, vectors, size, (share) => onProgress(0.5 + 0.5 * share));
  return sorted(diagonal, vectors, size);
}

/**
 * T = Qᵀ A Q, tridiagonal. Step `k` reflects rows and columns after `k`; its vector is left in row `k`, after the diagonal.
 *
 * @returns the `β_k` of the reflections `I − β v vᵀ`.
 */
function tridiagonalise(
  a: Float64Array,
  n: number,
  diagonal: Float64Array,
  off: Float64Array,
  onProgress: (share: number) => void,
): Float64Array {
  mirrorLower(a, n);
  const betas = new Float64Array(n);
  const product = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    diagonal[k] = a[k * n + k] as number;
    if (k + 1 === n) break;
    if (k % 64 === 0) onProgress(1 - (1 - k / n) ** 3);
    const row = k * n;
    const beta = reflectorOf(a, row + k + 1, n - k - 1, off, k);
    betas[k] = beta;
    if (beta === 0) continue;
    // p = β A v, w = p − (β pᵀv / 2) v, A ← A − v wᵀ − w vᵀ on the rest.
    let inner = 0;
    for (let i = k + 1; i < n; i++) {
      const p = beta * dot(a, i * n + k + 1, a, row + k + 1, n - k - 1);
      product[i] = p;
      inner += p * (a[row + i] as number);
    }
    const half = (beta * inner) / 2;
    for (let i = k + 1; i < n; i++) product[i] = (product[i] as number) - half * (a[row + i] as number);
    for (let i = k + 1; i < n; i++) {
      const v = a[row + i] as number;
      const w = product[i] as number;
      const start = i * n;
      for (let j = k + 1; j < n; j++) a[start + j] = (a[start + j] as number) - v * (product[j] as number) - w * (a[row + j] as number);
    }
  }
  return betas;
}

/** Replaces x by the Householder vector that maps it to a multiple of e₁, whose factor goes to `off[k]`. Returns β. */
function reflectorOf(a: Float64Array, start: number, length: number, off: Float64Array, k: number): number {
  let largest = 0;
  for (let i = start; i < start + length; i++) largest = Math.max(largest, Math.abs(a[i] as number));
  let tail = 0;
  for (let i = start + 1; i < start + length; i++) tail += ((a[i] as number) / (largest || 1)) ** 2;
  const first = a[start] as number;
  if (tail === 0) {
    off[k] = first;
    a.fill(0, start, start + length);
    return 0;
  }
  const norm = largest * Math.sqrt((first / largest) ** 2 + tail);
  const target = first > 0 ? -norm : norm;
  off[k] = target;
  a[start] = first - target;
  // ‖v‖² = 2 norm (norm + |first|), free of cancellation.
  return 1 / (norm * (norm + Math.abs(first)));
}

/** Qᵀ as rows, from the reflections that `tridiagonalise` left. */
function accumulate(a: Float64Array, n: number, betas: Float64Array, onProgress: (share: number) => void): Float64Array {
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  for (let k = n - 2; k >= 0; k--) {
    if (k % 64 === 0) onProgress((1 - k / n) ** 3);
    const beta = betas[k] as number;
    if (beta === 0) continue;
    const v = k * n + k + 1;
    const length = n - k - 1;
    // Qᵀ = … H₁ H₀ read backwards: from the right, every row of the block loses its part along v.
    for (let i = k + 1; i < n; i++) {
      const row = i * n + k + 1;
      const factor = beta * dot(q, row, a, v, length);
      for (let j = 0; j < length; j++) q[row + j] = (q[row + j] as number) - factor * (a[v + j] as number);
    }
  }
  return q;
}

/** Implicit QL; rotations of neighbouring columns of Q are rotations of neighbouring rows of Qᵀ. */
function diagonalise(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number, onProgress: (share: number) => void): void {
  // Against the size of the whole matrix: of a singular one, neighbours on the diagonal may both be rounding errors.
  const negligible = Number.EPSILON * d.reduce((largest, value, i) => Math.max(largest, Math.abs(value) + Math.abs(e[i] as number)), 0);
  for (let l = 0; l < n; l++) {
    if (l % 64 === 0) onProgress(1 - (1 - l / n) ** 2);
    for (let sweep = 0; ; sweep++) {
      let m = l;
      while (m + 1 < n && Math.abs(e[m] as number) > negligible) m++;
      if (m === l) break;
      if (sweep === MOST_SWEEPS) throw new NonFiniteError('an eigenvalue does not converge', l, 'check the images for extreme values');
      const difference = ((d[l + 1] as number) - (d[l] as number)) / (2 * (e[l] as number));
      const root = Math.hypot(difference, 1);
      let g = (d[m] as number) - (d[l] as number) + (e[l] as number) / (difference + (difference >= 0 ? root : -root));
      let sine = 1;
      let cosine = 1;
      let shift = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const f = sine * (e[i] as number);
        const b = cosine * (e[i] as number);
        const radius = Math.hypot(f, g);
        e[i + 1] = radius;
        if (radius === 0) {
          d[i + 1] = (d[i + 1] as number) - shift;
          e[m] = 0;
          break;
        }
        sine = f / radius;
        cosine = g / radius;
        g = (d[i + 1] as number) - shift;
        const turned = ((d[i] as number) - g) * sine + 2 * cosine * b;
        shift = sine * turned;
        d[i + 1] = g + shift;
        g = cosine * turned - b;
        rotateRows(vectors, i * n, n, sine, cosine);
      }
      if (i >= l) continue;
      d[l] = (d[l] as number) - shift;
      e[l] = g;
      e[m] = 0;
    }
  }
}

function rotateRows(a: Float64Array, start: number, n: number, sine: number, cosine: number): void {
  const end = start + n;
  for (let p = start; p < end; p++) {
    const upper = a[p] as number;
    const lower = a[p + n] as number;
    a[p + n] = sine * upper + cosine * lower;
    a[p] = cosine * upper - sine * lower;
  }
}

function dot(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 3 < length; k += 4) {
    s0 += (a[aStart + k] as number) * (b[bStart + k] as number);
    s1 += (a[aStart + k + 1] as number) * (b[bStart + k + 1] as number);
    s2 += (a[aStart + k + 2] as number) * (b[bStart + k + 2] as number);
    s3 += (a[aStart + k + 3] as number) * (b[bStart + k + 3] as number);
  }
  for (; k < length; k++) s0 += (a[aStart + k] as number) * (b[bStart + k] as number);
  return s0 + s1 + s2 + s3;
}

/** Copies the lower triangle to the upper one. */
export function mirrorLower(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) a[j * n + i] = a[i * n + j] as number;
}

function sorted(values: Float64Array, vectors: Float64Array, n: number): SymmetricEigen {
  const order = Array.from(values.keys()).sort((i, j) => (values[i] as number) - (values[j] as number));
  const rows = new Float64Array(n * n);
  for (const [to, from] of order.entries()) rows.set(vectors.subarray(from * n, (from + 1) * n), to * n);
  return { values: Float64Array.from(order, (i) => values[i] as number), vectors: rows };
}
