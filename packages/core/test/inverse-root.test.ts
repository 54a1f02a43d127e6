import './support/backend.js';
import { cholesky, foldIn, hostNormal, inverseRoot, key, ShapeError, triangularSolve } from '@bpc/core';
import { relativeDeviation } from '@bpc/core/testing';
import { eye, matMul, memory, ones, tensor, tensor2d, zeros } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { runtimes } from './support/runtimes.js';

/** H D H with a Householder reflection H and eigenvalues from 1 down to 1/κ, in float64. */
function matrixOf(n: number, kappa: number): Float64Array {
  const v = hostNormal(foldIn(key(3), n), n);
  const squared = v.reduce((total, value) => total + value * value, 0);
  const eigenvalues = Array.from({ length: n }, (_, i) => kappa ** (-i / Math.max(1, n - 1)));
  const reflected = (i: number, k: number) => (i === k ? 1 : 0) - (2 * (v[i] ?? 0) * (v[k] ?? 0)) / squared;
  const b = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) b[i * n + j]! += reflected(i, k) * (eigenvalues[k] ?? 0) * reflected(k, j);
  }
  return b;
}

/** max |W B Wᵀ − I|, in float64. */
function residual(w: ArrayLike<number>, b: Float64Array, n: number): number {
  const wb = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let k = 0; k < n; k++) for (let j = 0; j < n; j++) wb[i * n + j]! += (w[i * n + k] ?? 0) * b[k * n + j]!;
  let worst = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = i === j ? -1 : 0;
      for (let k = 0; k < n; k++) sum += wb[i * n + k]! * (w[j * n + k] ?? 0);
      worst = Math.max(worst, Math.abs(sum));
    }
  }
  return worst;
}

describe.each(runtimes)('inverseRoot on %s', (name, makeRuntime) => {
  // Eager products of large matrices are slow; the code of a block and of several is the same there.
  it.each(name.startsWith('tfjs') ? [1, 5, 140] : [1, 5, 128, 129, 300])(
    'turns a matrix of %i rows into the identity, within 1e-5 + 1e-8 of its condition number',
    async (n) => {
      const runtime = await makeRuntime();
      const program = runtime.compile(inverseRoot);
      for (const kappa of n < 10 || n > 200 ? [10, 1e5] : [1e3]) {
        const b = matrixOf(n, kappa);
        const w = await program(tensor(Float32Array.from(b), [n, n]));
        expect(residual(await w.data(), b, n)).toBeLessThan(1e-5 + 1e-8 * kappa);
      }
      await runtime.dispose();
    },
  );
});

describe('inverseRoot', () => {
  it('gives the inverse that Cholesky factors give', () => {
    const n = 40;
    const b = tensor(Float32Array.from(matrixOf(n, 100)), [n, n]);
    const w = inverseRoot(b);
    const inverse = triangularSolve(cholesky(b), triangularSolve(cholesky(b), eye(n)), { transpose: true });
    expect(relativeDeviation(matMul(w, w, true), inverse)).toBeLessThan(1e-4);
  });

  it('is symmetric up to 128 rows, and takes the symmetric part of what it gets', () => {
    const w = inverseRoot(
      tensor2d([
        [4, 2],
        [0, 5],
      ]),
    );
    const [a, b, c, d] = w.dataSync();
    expect(b).toBeCloseTo(c ?? Number.NaN, 6);
    const symmetric = Float64Array.from([4, 1, 1, 5]);
    expect(residual([a ?? 0, b ?? 0, c ?? 0, d ?? 0], symmetric, 2)).toBeLessThan(1e-5);
  });

  it('leaks nothing, in one block or several', () => {
    const matrices = [5, 130].map((n) => tensor(Float32Array.from(matrixOf(n, 10)), [n, n]));
    const before = memory().numTensors;
    for (const matrix of matrices) inverseRoot(matrix).dispose();
    expect(memory().numTensors).toBe(before);
  });

  it('refuses what is no square float32 matrix', () => {
    expect(() => inverseRoot(zeros([2, 3]))).toThrow(ShapeError);
    expect(() => inverseRoot(ones([4]))).toThrow(/expected \[n, n\]/);
    expect(() => inverseRoot(zeros([2, 2], 'int32'))).toThrow(/expected float32/);
  });
});
