import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { bools, EDGES, floats, ints, type OpCase, type Result } from './case.js';

const make = (name: string, run: (...args: Tensor[]) => Result, args: () => Tensor[], more: Partial<OpCase> = {}): OpCase => ({
  name,
  run,
  args,
  ...more,
});
const index = (list: number[], shape: number[] = [list.length]) => tf.tensor(list, shape, 'int32');

const views: OpCase[] = [
  make(
    'reshape and expandDims',
    (x) => [tf.reshape(x!, [6, -1]), tf.expandDims(x!, 1), tf.squeeze(tf.expandDims(tf.exp(x!), -1)), tf.reshape(tf.exp(x!), [60])],
    () => [floats([3, 4, 5])],
  ),
  make(
    'transpose',
    (x) => [tf.transpose(x!), tf.transpose(x!, [1, 0, 2]), tf.transpose(tf.transpose(x!, [2, 0, 1]), [1, 2, 0])],
    () => [floats([3, 4, 5])],
  ),
  make(
    'transpose of images',
    (x) => [tf.transpose(x!, [0, 3, 1, 2]), tf.exp(tf.transpose(x!, [3, 0, 2, 1]))],
    () => [floats([2, 3, 4, 5])],
  ),
  make(
    'slice',
    (x) => [
      tf.slice(x!, [1, 0, 2], [2, 3, 3]),
      tf.slice(x!, [0, 1, 1]),
      tf.slice(tf.exp(x!), [1, 1, 1], [1, 2, -1]),
      tf.slice(x!, [1, 1, 1], [0, 2, 1]),
    ],
    () => [floats([3, 4, 5])],
  ),
  make(
    'stridedSlice with strides',
    (x) => [
      tf.stridedSlice(x!, [0, 1], [7, 9], [2, 3]),
      tf.stridedSlice(x!, [6, 8], [0, 0], [-2, -1]),
      tf.stridedSlice(x!, [5], [1], [-3]),
    ],
    () => [floats([7, 9])],
  ),
  make(
    'stridedSlice with masks',
    (x) => [
      tf.stridedSlice(x!, [1, 2], [3, 4], [1, 1], 1, 0),
      tf.stridedSlice(x!, [1, 2], [3, 4], [1, 1], 0, 2),
      tf.stridedSlice(x!, [-3, 2], [3, -1], [-1, 2], 2, 1),
      tf.stridedSlice(x!, [1], [2], [1], 0, 0, 0, 0, 1),
      tf.stridedSlice(x!, [1, 0, 1], [2, 0, 3], [1, 1, 1], 0, 0, 2),
      tf.stridedSlice(x!, [0, 1], [0, 3], [1, 1], 0, 0, 0, 1),
    ],
    () => [floats([7, 9, 3])],
  ),
  make(
    'stridedSlice of nothing',
    (x) => tf.stridedSlice(x!, [3], [3], [1]),
    () => [floats([7, 2])],
  ),
  make(
    'pad',
    (x) => [
      tf.pad(x!, [
        [1, 2],
        [0, 3],
      ]),
      tf.pad(
        x!,
        [
          [0, 1],
          [2, 0],
        ],
        7,
      ),
      tf.exp(
        tf.pad(
          tf.pad(x!, [
            [1, 0],
            [0, 1],
          ]),
          [
            [0, 1],
            [1, 0],
          ],
        ),
      ),
    ],
    () => [floats([5, 6])],
  ),
  make(
    'pad of int32 and bool',
    (x, y) => [tf.pad(x!, [[1, 2]], 3), tf.cast(tf.pad(tf.cast(y!, 'int32'), [[0, 1]], 1), 'bool')],
    () => [ints([30], -5, 5), bools([7])],
  ),
  make(
    'pad of nothing',
    (x) =>
      tf.pad(
        x!,
        [
          [1, 2],
          [0, 1],
        ],
        4,
      ),
    () => [floats([0, 3])],
  ),
  make(
    'mirrorPad',
    (x) => [
      tf.mirrorPad(
        x!,
        [
          [1, 1],
          [2, 0],
        ],
        'reflect',
      ),
      tf.mirrorPad(
        x!,
        [
          [5, 1],
          [2, 6],
        ],
        'symmetric',
      ),
      tf.mirrorPad(
        x!,
        [
          [4, 4],
          [5, 5],
        ],
        'reflect',
      ),
    ],
    () => [floats([5, 6])],
  ),
  make(
    'concat and stack',
    (a, b) => [tf.concat([a!, b!], 0), tf.concat([a!, tf.exp(b!), a!], 1), tf.stack([a!, b!], 1), tf.stack([a!, b!], -1)],
    () => [floats([5, 6]), floats([5, 6], 2)],
  ),
  make(
    'concat with an empty part',
    (a, b) => tf.concat([a!, b!], 0),
    () => [floats([0, 6]), floats([5, 6], 2)],
  ),
  make(
    'concat of int32 and of bools',
    (a, b) => [tf.concat([a!, a!], 0), tf.concat([b!, b!], 0)],
    () => [ints([30], -9, 9), bools([20])],
  ),
  make(
    'unstack and split',
    (x) => [...tf.unstack(x!, 1), ...tf.split(x!, 3, 1), ...tf.split(x!, [1, 4], 0)],
    () => [floats([5, 6])],
  ),
  make(
    'tile',
    (x) => [tf.tile(x!, [2, 3]), tf.tile(tf.exp(x!), [1, 2])],
    () => [floats([5, 6])],
  ),
  make(
    'reverse',
    (x) => [tf.reverse(x!, [1]), tf.reverse(tf.exp(x!), [0, 1]), tf.tile(tf.reverse(x!, 0), [1, 2])],
    () => [floats([5, 6])],
  ),
  make(
    'flipLeftRight',
    (x) => tf.image.flipLeftRight(x! as Tensor4D),
    () => [floats([2, 3, 4, 2])],
  ),
  make(
    'broadcastTo',
    (x) => tf.mul(tf.broadcastTo(x!, [4, 5, 6]), 2),
    () => [floats([5, 1])],
  ),
  make(
    'made tensors',
    () => [
      tf.fill([3, 2], 4),
      tf.range(1, 9, 2),
      tf.range(9, 1, -3),
      tf.linspace(0, 1, 7),
      tf.zeros([40]),
      tf.ones([2]),
      tf.eye(4),
      tf.tensor([1.5, 2.5]),
    ],
    () => [],
  ),
  make(
    'spaceToBatchND',
    (x) => [
      tf.spaceToBatchND(
        x!,
        [2, 2],
        [
          [0, 0],
          [2, 0],
        ],
      ),
      tf.spaceToBatchND(x!, [2], [[1, 1]]),
    ],
    () => [floats([3, 4, 6, 2])],
  ),
  make(
    'batchToSpaceND',
    (x) => [
      tf.batchToSpaceND(
        x!,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
      tf.batchToSpaceND(
        x!,
        [2, 4],
        [
          [1, 0],
          [2, 1],
        ],
      ),
    ],
    () => [floats([8, 3, 2, 5])],
  ),
  make(
    'depthToSpace',
    (x) => tf.depthToSpace(x! as Tensor4D, 2, 'NHWC'),
    () => [floats([2, 3, 4, 12])],
  ),
  make(
    'diag',
    (x) => [tf.diag(tf.reshape(x!, [6])), tf.diag(x!)],
    () => [floats([2, 3])],
  ),
];

const AXES = [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2], [-1], []];
const reductions: OpCase[] = [
  ...AXES.flatMap((axes): OpCase[] => [
    make(
      `reductions over [${axes}]`,
      (x) => [
        tf.sum(x!, axes),
        tf.mean(x!, axes, true),
        tf.max(x!, axes),
        tf.min(x!, axes, true),
        tf.sum(tf.exp(x!), axes),
        tf.prod(x!, axes),
        tf.any(tf.greater(x!, 0.9), axes),
        tf.all(tf.greater(x!, -0.9), axes),
      ],
      () => [floats([5, 6, 7])],
    ),
    make(
      `long reductions over [${axes}]`,
      (x) => [tf.sum(tf.mul(x!, x!), axes), tf.mean(x!, axes), tf.max(x!, axes), tf.min(x!, axes)],
      () => [floats([50, 3, 40])],
    ),
  ]),
  make(
    'reductions of int32',
    (x) => [tf.sum(x!, 0), tf.max(x!, 1), tf.min(x!, 1), tf.prod(x!, 1)],
    () => [ints([5, 6], -4, 4)],
  ),
  make(
    'mean of int32',
    (x) => tf.mean(x!, 1),
    () => [ints([5, 6], -4, 4)],
  ),
  make(
    'reductions of NaN and infinity',
    (x) => [tf.sum(x!, 1), tf.max(x!, 1), tf.min(x!, 1), tf.mean(x!, 1)],
    () => [tf.tensor([1, Number.POSITIVE_INFINITY, 2, Number.NaN, 1, 2, 3, Number.NEGATIVE_INFINITY, 5], [3, 3])],
  ),
  make(
    'sums of nothing',
    (x) => [tf.sum(x!, 0), tf.prod(x!, 0), tf.mean(x!, 0), tf.any(tf.greater(x!, 0), 0), tf.all(tf.greater(x!, 0), 0)],
    () => [floats([0, 3])],
    {
      truth: {
        reason: 'tfjs cpu starts the product of no float32 numbers at 1 only for int32',
        values: () => [
          [0, 0, 0],
          [1, 1, 1],
          [Number.NaN, Number.NaN, Number.NaN],
          [0, 0, 0],
          [1, 1, 1],
        ],
      },
    },
  ),
  make(
    'argMax and argMin',
    (x) => [tf.argMax(x!, 0), tf.argMax(x!, 1), tf.argMin(x!, 1), tf.argMax(x!, -1), tf.argMin(x!, 2)],
    () => [floats([5, 6, 7])],
  ),
  make(
    'argMax of ties takes the first',
    (x) => [tf.argMax(x!, 0), tf.argMin(x!, 0)],
    () => [tf.tensor([1, 3, 3, 2, 1])],
  ),
  make(
    'argMax of int32 and bools',
    (x, y) => [tf.argMax(x!, 1), tf.argMin(x!, 0), tf.argMax(y!, 0)],
    () => [ints([5, 6], -9, 9), bools([7])],
  ),
  make(
    'softmax',
    (x) => [tf.softmax(x!), tf.logSoftmax(x!), tf.logSumExp(x!, 1)],
    () => [floats([9, 10], 1, -30, 30)],
  ),
  make(
    'large softmax',
    (x) => [tf.softmax(x!), tf.logSoftmax(x!)],
    () => [floats([20, 100], 1, -30, 30)],
  ),
  make(
    'cumsum',
    (x) => [tf.cumsum(x!, 1), tf.cumsum(x!, 0, true), tf.cumsum(x!, 2, false, true), tf.cumsum(x!, 2, true, true)],
    () => [floats([3, 4, 5])],
  ),
  make(
    'cumsum of int32',
    (x) => tf.cumsum(x!, 0),
    () => [ints([30], -9, 9)],
  ),
  make(
    'cumprod',
    (x) => [tf.cumprod(x!, 1), tf.cumprod(x!, 0, true), tf.cumprod(x!, 2, false, true), tf.cumprod(x!, 2, true, true)],
    () => [floats([3, 4, 5], 1, -2, 2)],
  ),
  make(
    'cumprod of int32 and of zeros',
    (x, y) => [tf.cumprod(x!, 0), tf.cumprod(y!, 0)],
    () => [ints([11], -2, 3), tf.tensor([2, 3, 0, 4, 5])],
  ),
  make(
    'topk',
    (x) => [tf.topk(x!, 3).values, tf.topk(x!, 3).indices, tf.topk(x!, 1).values, tf.topk(x!, 7).indices],
    () => [floats([4, 5, 7])],
  ),
  make(
    'topk of ties takes the first',
    (x) => [tf.topk(x!, 3).values, tf.topk(x!, 3).indices],
    () => [tf.tensor([1, 3, 2, 3, 3, 2])],
  ),
  make(
    'topk of int32',
    (x) => [tf.topk(x!, 2).values, tf.topk(x!, 2).indices],
    () => [ints([3, 9], -50, 50)],
  ),
];

const indexing: OpCase[] = [
  make(
    'gather',
    (x, i) => [
      tf.gather(x!, i! as Tensor1D),
      tf.gather(tf.exp(x!), i! as Tensor1D, 1),
      tf.gather(x!, tf.reshape(i!, [2, 2]), 2),
      tf.gather(x!, i! as Tensor1D, -1),
    ],
    () => [floats([6, 7, 8]), index([5, 0, 3, 3])],
  ),
  make(
    'gather from int32 and bools',
    (x, y, i) => [tf.gather(x!, i! as Tensor1D), tf.gather(y!, i! as Tensor1D)],
    () => [ints([6], -9, 9), bools([9]), index([5, 0, 3, 3])],
  ),
  make(
    'gather with batch dimensions',
    (x, i, j) => [tf.gather(x!, i!, 1, 1), tf.gather(x!, i!, 3, 1), tf.gather(x!, j!, 2, 2), tf.gather(tf.exp(x!), i!, -1, 1)],
    () => [floats([2, 3, 4, 5]), index([2, 0, 1, 1], [2, 2]), index([3, 0, 1, 2, 2, 1], [2, 3])],
  ),
  make(
    'gatherND',
    (x, i, j) => [tf.gatherND(x!, i!), tf.gatherND(x!, j!)],
    () => [floats([6, 7, 8]), index([5, 0, 3, 3, 1, 1], [3, 2]), index([5, 0, 7, 1, 2, 3], [2, 1, 3])],
  ),
  make(
    'scatterND adds at repeated indices',
    (i, x) => tf.scatterND(i!, x!, [6, 4]),
    () => [index([5, 0, 5], [3, 1]), floats([3, 4])],
  ),
  make(
    'scatterND of index pairs, and of int32',
    (i, x, y) => [tf.scatterND(i!, x!, [6, 4, 2]), tf.scatterND(i!, y!, [6, 4])],
    () => [index([5, 0, 1, 3, 5, 0], [3, 2]), floats([3, 2]), ints([3], -9, 9)],
  ),
  make(
    'tensorScatterUpdate keeps the last of repeated indices',
    (x, i, u) => tf.tensorScatterUpdate(x!, i!, u!),
    () => [floats([6, 4]), index([5, 0, 5, 2], [4, 1]), floats([4, 4], 2)],
  ),
  make(
    'tensorScatterUpdate of int32 by pairs',
    (x, i, u) => tf.tensorScatterUpdate(x!, i!, u!),
    () => [ints([5, 6], -9, 9), index([1, 2, 4, 5, 1, 2], [3, 2]), ints([3], 10, 20, 2)],
  ),
  make(
    'sparseToDense',
    (i, v) => [
      tf.sparseToDense(i! as Tensor1D, v! as Tensor1D, [8], -1),
      tf.sparseToDense(tf.reshape(i!, [3, 1]) as never, tf.tensor1d([4, 5, 6]), [9]),
    ],
    () => [index([1, 7, 3]), floats([3])],
  ),
  make(
    'unsortedSegmentSum',
    (x, i) => [tf.unsortedSegmentSum(x!, i! as Tensor1D, 4), tf.unsortedSegmentSum(tf.exp(x!), i! as Tensor1D, 40)],
    () => [floats([6, 7]), index([3, 0, 3, 1, 0, 3])],
  ),
  make(
    'unsortedSegmentSum drops negative and large ids',
    (x, i) => tf.unsortedSegmentSum(x!, i! as Tensor1D, 3),
    () => [floats([5, 7]), index([2, -1, 0, 3, 2])],
    {
      truth: {
        reason: 'TensorFlow drops them; tfjs cpu drops them too, and others read past the end',
        values: (x) => {
          const row = (k: number) => x.slice(7 * k, 7 * k + 7);
          return [[...row(2), ...new Array<number>(7).fill(0), ...row(0).map((v, i) => v + row(4)[i]!)]];
        },
      },
    },
  ),
  make(
    'oneHot',
    (i) => [tf.oneHot(i!, 5), tf.oneHot(i!, 5, 2, -1, 'float32'), tf.oneHot(tf.reshape(i!, [2, 2]), 3)],
    () => [index([0, 4, -1, 7])],
  ),
  make(
    'bincount',
    (x, w) => [tf.bincount(x! as Tensor1D, w! as Tensor1D, 4), tf.bincount(x! as Tensor1D, tf.tensor1d([]), 4)],
    () => [index([1, 1, 0, 3, 9, 2, 1]), floats([7])],
  ),
  make(
    'denseBincount',
    (x, w) => [
      tf.denseBincount(x! as never, w! as never, 5),
      tf.denseBincount(x! as never, w! as never, 5, true),
      tf.denseBincount(x! as never, tf.tensor2d([], [0, 0]), 2),
    ],
    () => [index([1, 1, 0, 3, 4, 2, 1, 1], [2, 4]), floats([2, 4])],
  ),
  make(
    'searchSorted',
    (s, v) => [tf.searchSorted(s!, v!, 'left'), tf.searchSorted(s!, v!, 'right'), tf.lowerBound(s!, v!), tf.upperBound(s!, v!)],
    () => [tf.tensor([0, 3, 9, 9, 10, 1, 2, 3, 4, 5], [2, 5]), tf.tensor([0, 4, 9, 0, 2, 6], [2, 3])],
  ),
];

const products: OpCase[] = [
  ...(
    [
      [3, 4, 5],
      [20, 30, 25],
      [1, 100, 1],
      [1, 100, 40],
      [40, 100, 1],
      [33, 7, 19],
      [2, 0, 3],
    ] as const
  ).flatMap(([m, k, n]): OpCase[] => [
    make(
      `matMul ${m}×${k}×${n}`,
      (a, b) => tf.matMul(a!, b!),
      () => [floats([m, k]), floats([k, n], 2)],
    ),
    make(
      `matMul transposed ${m}×${k}×${n}`,
      (a, b) => [tf.matMul(a!, b!, true, true), tf.matMul(tf.transpose(a!), b!, false, true)],
      () => [floats([k, m]), floats([n, k], 2)],
    ),
  ]),
  make(
    'batched matMul, broadcasting',
    (a, b) => [
      tf.matMul(a!, b!),
      tf.matMul(a!, tf.slice(b!, [0, 0, 0], [1, 40, 6])),
      tf.matMul(tf.expandDims(tf.slice(a!, [0, 0, 0], [1, 5, 40]), 1), b!),
    ],
    () => [floats([3, 5, 40]), floats([3, 40, 6], 2)],
  ),
  make(
    'matMul of int32',
    (a, b) => tf.matMul(a!, b!),
    () => [ints([3, 4], -9, 9), ints([4, 5], -9, 9, 2)],
  ),
  ...(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const).map((activation) =>
    make(
      `fused matMul, ${activation}`,
      (a, b, bias) => tf.fused.matMul({ a: a!, b: b!, transposeB: true, bias: bias!, activation, leakyreluAlpha: 0.3 }),
      () => [floats([4, 6], 1, -3, 3), floats([5, 6], 2, -3, 3), floats([5], 3)],
    ),
  ),
  make(
    'fused matMul, prelu',
    (a, b, p) => tf.fused.matMul({ a: a!, b: b!, activation: 'prelu', preluActivationWeights: p! }),
    () => [floats([4, 6]), floats([6, 5], 2), floats([5], 3)],
  ),
  ...['ij,jk->ik', 'ij,kj->ki', 'bij,bjk->bik', 'ij->ji', 'ij->', 'i,j->ij', 'bij,bij->b', 'ij,j->i'].map((equation) => {
    const sizes: Readonly<Record<string, number>> = { i: 3, j: 5, k: 4, b: 2 };
    const inputs = equation.split('->')[0]!.split(',');
    return make(
      `einsum ${equation}`,
      (...args) => tf.einsum(equation, ...args),
      () =>
        inputs.map((letters, i) =>
          floats(
            [...letters].map((letter) => sizes[letter]!),
            i + 1,
          ),
        ),
    );
  }),
];

const wrongInTfjs: OpCase[] = [
  make(
    'einsum that sums a letter of one factor only',
    (a, b) => tf.sum(tf.einsum('ij,kj->', a!, b!)),
    () => [floats([2, 3]), floats([4, 3], 2)],
    {
      truth: {
        reason: 'tfjs cpu sums the wrong axis of such products',
        values: (a, b) => [[a.reduce((sum, v, i) => sum + v * (b[i % 3]! + b[3 + (i % 3)]! + b[6 + (i % 3)]! + b[9 + (i % 3)]!), 0)]],
      },
    },
  ),
];

const normalizations: OpCase[] = [
  make(
    'batchNorm',
    (x, m, v, o, s) => [
      tf.batchNorm(x! as Tensor4D, m! as Tensor1D, v! as Tensor1D, o! as Tensor1D, s! as Tensor1D, 1e-3),
      tf.batchNorm(x! as Tensor4D, m! as Tensor1D, v! as Tensor1D),
    ],
    () => [floats([2, 3, 4, 5]), floats([5], 2), floats([5], 3, 0.1, 2), floats([5], 4), floats([5], 5)],
  ),
  make(
    'localResponseNormalization',
    (x) => [tf.localResponseNormalization(x! as Tensor4D, 2, 1, 0.5, 0.75), tf.localResponseNormalization(x! as Tensor4D)],
    () => [floats([2, 3, 4, 7], 1, -3, 3)],
  ),
  make(
    'resize, bilinear',
    (x) => [
      tf.image.resizeBilinear(x! as Tensor4D, [7, 3]),
      tf.image.resizeBilinear(x! as Tensor4D, [7, 9], true),
      tf.image.resizeBilinear(x! as Tensor4D, [7, 3], false, true),
      tf.image.resizeBilinear(x! as Tensor4D, [1, 1], true),
    ],
    () => [floats([2, 4, 5, 3])],
  ),
  make(
    'resize, nearest',
    (x, y) => [
      tf.image.resizeNearestNeighbor(x! as Tensor4D, [7, 3]),
      tf.image.resizeNearestNeighbor(x! as Tensor4D, [7, 9], true),
      tf.image.resizeNearestNeighbor(x! as Tensor4D, [7, 3], false, true),
      tf.image.resizeNearestNeighbor(y! as Tensor4D, [2, 2]),
    ],
    () => [floats([2, 4, 5, 3]), tf.tensor(EDGES.slice(0, 16), [1, 4, 4, 1])],
  ),
];

const kernel = (name: string, inputs: Readonly<Record<string, Tensor>>, attributes: object = {}): Tensor =>
  tf.engine().runKernel(name, inputs, attributes as never);

/** Kernels that only tfjs' own gradients call; those of @bpc/core do without. */
const gradientKernels: OpCase[] = [
  make(
    'EluGrad',
    (dy, x) => kernel('EluGrad', { dy: dy!, y: tf.elu(x!) }),
    () => [floats([7, 9]), floats([7, 9], 2, -3, 3)],
  ),
  make(
    'LRNGrad',
    (dy, x) =>
      kernel(
        'LRNGrad',
        { dy: dy!, x: x!, y: tf.localResponseNormalization(x! as Tensor4D, 2, 1, 0.5, 0.75) },
        { depthRadius: 2, bias: 1, alpha: 0.5, beta: 0.75 },
      ),
    () => [floats([2, 3, 4, 7]), floats([2, 3, 4, 7], 2, -3, 3)],
  ),
  ...['ResizeBilinearGrad', 'ResizeNearestNeighborGrad'].flatMap((name) =>
    [true, false].map((alignCorners) =>
      // One square image: tfjs cpu mixes up height and width of others, and finds dy of the first image only.
      make(
        `${name}, corners ${alignCorners ? '' : 'not '}aligned`,
        (images, dy) => kernel(name, { images: images!, dy: dy! }, { alignCorners }),
        () => [floats([1, 4, 4, 3]), floats([1, 7, 5, 3], 2)],
      ),
    ),
  ),
];

/** Views, reductions, indexing, products, normalisation. */
export const structureCases: readonly OpCase[] = [
  ...views,
  ...reductions,
  ...indexing,
  ...products,
  ...wrongInTfjs,
  ...normalizations,
  ...gradientKernels,
];
