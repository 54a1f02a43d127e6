import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import { gather, getBackend, getKernel, matMul, oneHot, reshape, transpose, unsortedSegmentSum } from '@tensorflow/tfjs-core';
import { MissingGradientError } from '../errors.js';
import { rule, sumTo } from './rule.js';

/** Sum of the rows of `rows [k, …]` with each index, as `[count, …]`. WebAssembly has no kernel for it, but a product. */
function scatterRows(rows: Tensor, index: Tensor, count: number): Tensor {
  if (getKernel('UnsortedSegmentSum', getBackend()) !== undefined) return unsortedSegmentSum(rows, reshape(index, [index.size]), count);
  const flat = reshape(rows, [rows.shape[0] ?? 0, -1]);
  const product = matMul(oneHot(reshape(index, [index.size]), count), flat, true, false);
  return reshape(product, [count, ...rows.shape.slice(1)]);
}

/** d/dx of a gather along `axis`: move the axis to the front, add rows, move it back. */
function gatherGradient(dy: Tensor, x: Tensor, indices: Tensor, axis: number): Tensor {
  const outer = x.shape.slice(0, axis);
  const inner = x.shape.slice(axis + 1);
  const rows = reshape(dy, [...outer, indices.size, ...inner]);
  const order = [axis, ...outer.map((_, i) => i), ...inner.map((_, i) => axis + 1 + i)];
  const sums = scatterRows(axis === 0 ? rows : transpose(rows, order), indices, x.shape[axis] ?? 0);
  if (axis === 0) return sums;
  return transpose(sums, [...outer.map((_, i) => i + 1), 0, ...inner.map((_, i) => axis + 1 + i)]);
}

/** Rules of matrix products and of row selection, which is a product with a 0/1 matrix. */
export const linearRules: readonly GradConfig[] = [
  rule<{ transposeA: boolean; transposeB: boolean }, 'a' | 'b'>('BatchMatMul', ['a', 'b'], (dy, { a, b }, { transposeA, transposeB }) => ({
    // Leading axes may have been broadcast, hence sumTo.
    a: () => sumTo(transposeA ? matMul(b, dy, transposeB, true) : matMul(dy, b, false, !transposeB), a.shape),
    b: () => sumTo(transposeB ? matMul(dy, a, true, transposeA) : matMul(a, dy, !transposeA, false), b.shape),
  })),
  rule<{ axis: number; batchDims: number }, 'x' | 'indices'>('GatherV2', ['x', 'indices'], (dy, { x, indices }, { axis, batchDims }) => ({
    x: () => {
      if (batchDims !== 0) {
        throw new MissingGradientError(`gather has batchDims ${batchDims}, expected 0`, 'gather each batch entry on its own');
      }
      return gatherGradient(dy, x, indices, axis < 0 ? axis + x.rank : axis);
    },
  })),
  rule('UnsortedSegmentSum', ['segmentIds'], (dy, { segmentIds }) => ({ x: () => gather(dy, segmentIds, 0) })),
];
