/** Row-major. */
export type Matrix = readonly (readonly number[])[];

/** The transforms of Winograd's F(m, 3): y = Aᵀ [(G w) ⊙ (Bᵀ x)]. */
export interface WinogradMatrices {
  /** Bᵀ. */
  readonly inputTransform: Matrix;
  /** G. */
  readonly filterTransform: Matrix;
  /** Aᵀ. */
  readonly outputTransform: Matrix;
}

const product = (factors: readonly number[]): number => factors.reduce((total, factor) => total * factor, 1);

/** Coefficients of Π (x − root), lowest first. */
const fromRoots = (roots: readonly number[]): number[] =>
  roots.reduce<number[]>(
    (polynomial, root) => Array.from({ length: polynomial.length + 1 }, (_, i) => (polynomial[i - 1] ?? 0) - root * (polynomial[i] ?? 0)),
    [1],
  );

const powers = (base: number, count: number): number[] => Array.from({ length: count }, (_, i) => base ** i);

/**
 * Transforms for m outputs from products of polynomials at m + 1 points and at infinity (Toom–Cook; Lavin & Gray 2016, §4.1;
 * Barabasz et al. 2020, §3).
 */
function toomCook(m: number, points: readonly number[]): WinogradMatrices {
  const others = points.map((point) => points.filter((other) => other !== point));
  const last = (length: number) => Array.from({ length }, (_, i) => Number(i === length - 1));
  const padded = (row: readonly number[]) => Array.from({ length: m + 2 }, (_, i) => row[i] ?? 0);
  return {
    inputTransform: [...others, points].map((roots) => padded(fromRoots(roots))),
    filterTransform: [
      ...points.map((point, j) => powers(point, 3).map((power) => power / product((others[j] ?? []).map((other) => point - other)))),
      last(3),
    ],
    outputTransform: Array.from({ length: m }, (_, i) => [...points.map((point) => point ** i), Number(i === m - 1)]),
  };
}

/**
 * Of pairs ±a, ±b around 0, these points leave 3 times smaller errors in a convolution and its gradients than the usual ±1
 * and ±2, and their powers are exact in float32.
 */
export const WINOGRAD: Readonly<Record<2 | 4, WinogradMatrices>> = {
  2: toomCook(2, [0, 1, -1]),
  4: toomCook(4, [0, 5 / 8, -5 / 8, 3 / 2, -3 / 2]),
};
