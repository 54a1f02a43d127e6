import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import { cumprod, cumsum, expandDims, mul, onesLike, reshape, sum, tensor2d, transpose, where, zerosLike } from '@tensorflow/tfjs-core';
import { keptShape, reducedAxes, rule } from './rule.js';

type Cumulative = { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean };

const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** A 0/1 matrix [n, n] of where `test(row, column)` holds. */
const pattern = (n: number, test: (row: number, column: number) => boolean): Tensor =>
  tensor2d(
    Uint8Array.from({ length: n * n }, (_, k) => +test(Math.floor(k / n), k % n)),
    [n, n],
    'bool',
  );

/** `x` with the listed axes last, and the way back. */
function axesLast(rank: number, axes: readonly number[]): { readonly there: number[]; readonly back: number[] } {
  const there = [...Array.from({ length: rank }, (_, i) => i).filter((i) => !axes.includes(i)), ...axes];
  return { there, back: there.map((_, i) => there.indexOf(i)) };
}

/**
 * Along the last axis, n long: dx_k = Σ_i dy_i ∂y_i/∂x_k, where the derivative is the product with factor k left out.
 * It is formed by setting that factor to 1, in n copies, so that zeros need no division.
 */
function productGradient(dy: Tensor, x: Tensor, exclusive: boolean, reverse: boolean): Tensor {
  const n = x.shape[x.rank - 1] ?? 1;
  const copies = expandDims(x, x.rank - 1);
  const diagonal = pattern(n, (k, i) => k === i);
  const without = where(diagonal, onesLike(copies), copies);
  const products = cumprod(without, x.rank, exclusive, reverse);
  const depends = pattern(n, (k, i) => (reverse ? i < k : i > k) || (!exclusive && i === k));
  const terms = mul(expandDims(dy, x.rank - 1), products);
  return sum(where(depends, terms, zerosLike(terms)), x.rank);
}

/** Rules of running sums and products, and of the product over axes. */
export const cumulativeRules: readonly GradConfig[] = [
  rule<Cumulative>('Cumsum', [], (dy, _, { axis, exclusive, reverse }) => ({
    x: () => cumsum(dy, axis, exclusive, !reverse),
  })),
  rule<Cumulative, 'x'>('Cumprod', ['x'], (dy, { x }, { axis, exclusive, reverse }) => ({
    x: () => {
      const { there, back } = axesLast(x.rank, [positive(axis, x.rank)]);
      return transpose(productGradient(transpose(dy, there), transpose(x, there), exclusive, reverse), back);
    },
  })),
  // The product of the others is what comes before times what comes after.
  rule<{ axis: number | number[] | null }, 'x'>('Prod', ['x'], (dy, { x }, { axis }) => ({
    x: () => {
      const axes = reducedAxes(axis, x.shape);
      const { there, back } = axesLast(x.rank, axes);
      const moved = transpose(x, there);
      const kept = x.rank - axes.length;
      const flat = reshape(moved, [...moved.shape.slice(0, kept), moved.shape.slice(kept).reduce((a, b) => a * b, 1)]);
      const others = mul(cumprod(flat, kept, true), cumprod(flat, kept, true, true));
      return mul(reshape(dy, keptShape(x.shape, axes)), transpose(reshape(others, moved.shape), back));
    },
  })),
];
