import type { Node } from '@bpc/compiler';

type Factoring = Extract<Node, { op: 'Cholesky' | 'TriangularSolve' }>;

export const isFactoring = (node: Node): node is Factoring => node.op === 'Cholesky' || node.op === 'TriangularSolve';

const square = <T>(n: number, value: (i: number, j: number) => T): T[][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => value(i, j)));

/** L = (unit lower triangle)·√D from Gaussian elimination of A = (unit) D (unit)ᵀ. */
function factor(a: number[][]): number[][] {
  const n = a.length;
  const rest = a.map((row) => [...row]);
  const l = square(n, () => 0);
  for (let k = 0; k < n; k++) {
    for (let i = k; i < n; i++) l[i]![k] = rest[i]![k]! / Math.sqrt(rest[k]![k]!);
    for (let i = k + 1; i < n; i++) for (let j = k + 1; j < n; j++) rest[i]![j]! -= l[i]![k]! * l[j]![k]!;
  }
  const definite = l.every((row, i) => row[i]! > 0 && Number.isFinite(row[i]!));
  return definite ? l : square(n, (i, j) => (i >= j ? Number.NaN : 0));
}

/** The inverse of a triangular matrix by Neumann's series: with T = D(I − N), N is nilpotent and T⁻¹ = (Σ Nᵏ) D⁻¹. */
function inverse(t: number[][]): number[][] {
  const n = t.length;
  const step = square(n, (i, j) => (i === j ? 0 : -t[i]![j]! / t[i]![i]!));
  const identity = square(n, (i, j) => +(i === j));
  const times = (a: number[][], b: number[][]) => square(n, (i, j) => a[i]!.reduce((sum, value, k) => sum + value * b[k]![j]!, 0));
  let [power, sum] = [identity, identity];
  for (let k = 1; k < n; k++) {
    power = times(power, step);
    const now = power;
    const before = sum;
    sum = square(n, (i, j) => before[i]![j]! + now[i]![j]!);
  }
  const total = sum;
  return square(n, (i, j) => total[i]![j]! / t[j]![j]!);
}

/** Factors and solutions by other ways than the target's. */
export function matrixValues(node: Factoring, first: readonly number[], second: readonly number[]): number[] {
  const n = node.inputs[0]!.shape.at(-1)!;
  const matrices = Array.from({ length: first.length / (n * n) }, (_, m) => square(n, (i, j) => first[m * n * n + i * n + j]!));
  if (node.op === 'Cholesky') {
    return matrices.flatMap((a) => factor(square(n, (i, j) => (a[i]![j]! + a[j]![i]!) / 2)).flat());
  }
  const columns = node.shape.at(-1)!;
  return matrices.flatMap((l, m) => {
    const triangle = square(n, (i, j) => {
      const [row, column] = node.attributes.transpose ? [j, i] : [i, j];
      return row >= column ? l[row]![column]! : 0;
    });
    const solver = inverse(triangle);
    return solver.flatMap((row) =>
      Array.from({ length: columns }, (_, c) => row.reduce((sum, value, k) => sum + value * second[m * n * columns + k * columns + c]!, 0)),
    );
  });
}
