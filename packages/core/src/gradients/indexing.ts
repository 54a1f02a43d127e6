import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  gather,
  gatherND,
  getBackend,
  getKernel,
  greaterEqual,
  less,
  logicalAnd,
  matMul,
  maximum,
  minimum,
  oneHot,
  range,
  reshape,
  scalar,
  scatterND,
  transpose,
  unsortedSegmentSum,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { untaped } from '../tape.js';
import { rule, single } from './rule.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Sum of the rows of `rows [k, …]` with each index, as `[count, …]`. WebAssembly has no kernel for it, but a product. */
function scatterRows(rows: Tensor, index: Tensor, count: number): Tensor {
  if (getKernel('UnsortedSegmentSum', getBackend()) !== undefined) return unsortedSegmentSum(rows, reshape(index, [index.size]), count);
  const flat = reshape(rows, [rows.shape[0] ?? 0, -1]);
  const product = matMul(oneHot(reshape(index, [index.size]), count), flat, true, false);
  return reshape(product, [count, ...rows.shape.slice(1)]);
}

/** d/dx of a gather: [batch, outer, k, inner] becomes rows [batch·k], which are added to rows [batch·n]. */
function gatherGradient(dy: Tensor, x: Tensor, indices: Tensor, axis: number, batchDims: number): Tensor {
  const [batch, outer, inner] = [x.shape.slice(0, batchDims), x.shape.slice(batchDims, axis), x.shape.slice(axis + 1)].map(sizeOf) as [
    number,
    number,
    number,
  ];
  const length = x.shape[axis] ?? 0;
  const taken = sizeOf(indices.shape.slice(batchDims));
  const swap = (y: Tensor, middle: number): Tensor =>
    outer === 1 ? y : transpose(reshape(y, [batch, outer, middle, inner]), [0, 2, 1, 3]);
  const rows = reshape(swap(dy, taken), [batch * taken, outer * inner]);
  const own = reshape(indices, [batch, taken]);
  const index = batch === 1 ? own : untaped(() => add(own, reshape(range(0, batch * length, length, 'int32'), [batch, 1])));
  const sums = scatterRows(rows, index, batch * length);
  const back = outer === 1 ? sums : transpose(reshape(sums, [batch, length, outer, inner]), [0, 2, 1, 3]);
  return reshape(back, x.shape);
}

/** Rules of operations that read or write at computed positions. */
export const indexingRules: readonly GradConfig[] = [
  rule<{ axis: number; batchDims: number }, 'x' | 'indices'>('GatherV2', ['x', 'indices'], (dy, { x, indices }, { axis, batchDims }) => ({
    x: () => gatherGradient(dy, x, indices, axis < 0 ? axis + x.rank : axis, batchDims < 0 ? batchDims + indices.rank : batchDims),
  })),
  // Rows whose segment does not exist were dropped.
  rule<{ numSegments: number }, 'segmentIds'>('UnsortedSegmentSum', ['segmentIds'], (dy, { segmentIds }, { numSegments }) => ({
    x: () => {
      const last = scalar(numSegments - 1, 'int32');
      const safe = untaped(() => maximum(minimum(segmentIds, last), scalar(0, 'int32')));
      const rows = gather(dy, safe, 0);
      const inside = untaped(() =>
        reshape(logicalAnd(greaterEqual(segmentIds, 0), less(segmentIds, numSegments)), [
          ...segmentIds.shape,
          ...rows.shape.slice(segmentIds.rank).map(() => 1),
        ]),
      );
      return where(inside, rows, zerosLike(rows));
    },
  })),
  rule('GatherNd', ['params', 'indices'], (dy, { params, indices }) => ({
    params: () => scatterND(indices, dy, params.shape),
    indices: () => zerosLike(indices),
  })),
  rule('ScatterNd', ['indices'], (dy, { indices }) => ({
    updates: () => gatherND(dy, indices),
    indices: () => zerosLike(indices),
  })),
  {
    kernelName: 'TopK',
    inputsToSave: ['x'],
    // Positions only: they are constant almost everywhere.
    outputsToSave: [false, true],
    gradFunc: (dys, [x, indices]) => ({
      x: () => {
        const dy = single(dys);
        if (x === undefined || indices === undefined) throw new RangeError('TopK saved nothing');
        const [length, taken] = [x.shape[x.rank - 1] ?? 1, dy.shape[dy.rank - 1] ?? 1];
        const rows = dy.size / taken;
        return reshape(matMul(reshape(dy, [rows, 1, taken]), reshape(oneHot(indices, length), [rows, taken, length])), x.shape);
      },
    }),
  },
];
