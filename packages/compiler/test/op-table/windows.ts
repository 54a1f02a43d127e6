import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { floats, type OpCase } from './case.js';

type Padding = 'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]];
type Four = readonly [number, number, number, number];
const around = (top: number, bottom: number, left: number, right: number): Padding => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];
const four = (x: Tensor | undefined) => x as Tensor4D;

const CONVOLUTIONS: readonly (readonly [
  name: string,
  x: Four,
  filter: Four,
  strides: number | [number, number],
  pad: Padding,
  dilations?: number | [number, number],
])[] = [
  ['odd image, 3×3 same', [2, 7, 5, 3], [3, 3, 3, 4], 1, 'same'],
  ['stride 2 same', [2, 7, 8, 3], [3, 3, 3, 4], 2, 'same'],
  ['valid, 5×3, unequal strides', [1, 9, 8, 2], [5, 3, 2, 6], [2, 1], 'valid'],
  ['1×1', [2, 5, 5, 8], [1, 1, 8, 9], 1, 'valid'],
  ['padding by a number', [1, 6, 7, 2], [3, 3, 2, 5], 1, 2],
  ['unequal explicit padding', [1, 6, 7, 2], [3, 2, 2, 5], 2, around(0, 2, 1, 0)],
  ['dilated', [1, 11, 12, 2], [3, 3, 2, 5], 1, 'same', 2],
  ['dilated unequally, valid', [1, 11, 12, 2], [3, 2, 2, 3], 1, 'valid', [2, 3]],
  ['wide, Winograd', [1, 4, 4, 40], [3, 3, 40, 33], 1, 'same'],
  ['rows left over', [1, 8, 8, 17], [3, 3, 17, 18], 3, 'valid'],
];

const gradientShape = (x: Four, filter: Four, strides: number | [number, number], pad: Padding): [number, number, number, number] =>
  tf.backend_util.computeConv2DInfo([...x], [...filter], strides, 1, pad, undefined, false, 'channelsLast').outShape;

const convolutions = CONVOLUTIONS.flatMap(([name, x, filter, strides, pad, dilations = 1]): OpCase[] => {
  const forward: OpCase = {
    name: `conv2d ${name}`,
    run: (a, f) => tf.conv2d(four(a), four(f), strides, pad, 'NHWC', dilations),
    args: () => [floats(x), floats(filter, 2)],
    // Winograd's transforms round, relative to the largest values.
    tolerance: 5e-5,
  };
  if (dilations !== 1) return [forward];
  const attributes = { strides, pad, dataFormat: 'NHWC' };
  return [
    forward,
    {
      name: `gradients of conv2d ${name}`,
      run: (a, f, dy) => [
        tf.engine().runKernel('Conv2DBackpropInput', { dy: dy!, filter: f! }, { ...attributes, inputShape: [...x] } as never) as Tensor,
        tf.engine().runKernel('Conv2DBackpropFilter', { x: a!, dy: dy! }, { ...attributes, filterShape: [...filter] } as never) as Tensor,
      ],
      args: () => [floats(x), floats(filter, 2), floats(gradientShape(x, filter, strides, pad), 3)],
      tolerance: 5e-5,
    },
  ];
});

const planar: OpCase[] = [
  {
    name: 'conv2d of planar images',
    run: (x, f) => tf.conv2d(four(x), four(f), 2, 'same', 'NCHW'),
    args: () => [floats([2, 3, 7, 8]), floats([3, 3, 3, 4], 2)],
  },
  {
    name: 'conv2dTranspose',
    run: (x, f) => [
      tf.conv2dTranspose(four(x), four(f), [2, 9, 8, 3], 2, 'same'),
      tf.conv2dTranspose(four(x), four(f), [2, 7, 6, 3], 1, 'valid'),
    ],
    args: () => [floats([2, 5, 4, 5]), floats([3, 3, 3, 5], 2)],
  },
  ...(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const).map(
    (activation): OpCase => ({
      name: `fused conv2d, ${activation}`,
      run: (x, filter, bias) =>
        tf.fused.conv2d({ x: four(x), filter: four(filter), strides: 1, pad: 'same', bias: bias!, activation, leakyreluAlpha: 0.3 }),
      args: () => [floats([2, 5, 4, 3], 1, -3, 3), floats([3, 3, 3, 4], 2, -3, 3), floats([4], 3)],
    }),
  ),
  {
    name: 'fused conv2d, prelu',
    run: (x, filter, weights) =>
      tf.fused.conv2d({
        x: four(x),
        filter: four(filter),
        strides: 2,
        pad: 'valid',
        activation: 'prelu',
        preluActivationWeights: weights!,
      }),
    args: () => [floats([2, 5, 4, 3]), floats([3, 3, 3, 4], 2), floats([4], 3)],
  },
];

const DEPTHWISE: readonly (readonly [name: string, x: Four, filter: Four, strides: number, pad: Padding, dilations?: number])[] = [
  ['same', [2, 5, 6, 3], [3, 3, 3, 1], 1, 'same'],
  ['two outputs per channel', [2, 5, 6, 3], [3, 2, 3, 2], 1, 'valid'],
  ['stride 2 same', [2, 7, 6, 3], [3, 3, 3, 2], 2, 'same'],
  ['explicit padding', [1, 5, 6, 4], [3, 3, 4, 1], 1, around(2, 0, 1, 3)],
  ['dilated', [1, 9, 9, 2], [3, 3, 2, 2], 1, 'same', 2],
];
const depthwise = DEPTHWISE.flatMap(([name, x, filter, strides, pad, dilations = 1]): OpCase[] => {
  const info = tf.backend_util.computeConv2DInfo([...x], [...filter], strides, dilations, pad, undefined, true, 'channelsLast');
  const attributes = { strides, pad, dilations };
  return [
    {
      name: `depthwiseConv2d ${name}`,
      run: (a, f) => tf.depthwiseConv2d(four(a), four(f), strides, pad as 'same', 'NHWC', dilations),
      args: () => [floats(x), floats(filter, 2)],
    },
    ...(dilations !== 1
      ? []
      : [
          {
            name: `gradients of depthwiseConv2d ${name}`,
            run: (a: Tensor, f: Tensor, dy: Tensor) => [
              tf.engine().runKernel('DepthwiseConv2dNativeBackpropInput', { dy, filter: f }, {
                ...attributes,
                inputShape: [...x],
              } as never) as Tensor,
              tf.engine().runKernel('DepthwiseConv2dNativeBackpropFilter', { x: a, dy }, {
                ...attributes,
                filterShape: [...filter],
              } as never) as Tensor,
            ],
            args: () => [floats(x), floats(filter, 2), floats(info.outShape, 3)],
          },
        ]),
  ];
});

type PoolInfo = ReturnType<typeof tf.backend_util.computePool2DInfo>;

const POOLS: readonly (readonly [size: number | [number, number], strides: number, pad: 'same' | 'valid' | number])[] = [
  [2, 2, 'valid'],
  [3, 2, 'same'],
  [3, 1, 'same'],
  [2, 3, 'valid'],
  [3, 2, 'valid'],
  [[3, 2], 1, 1],
];
/** dy·1/n to each of the n pixels of a window that lie in the image. */
function averageGradient(
  dy: readonly number[],
  { padInfo, strideHeight, strideWidth, filterHeight, filterWidth, outShape, inShape }: PoolInfo,
): number[] {
  const [n, h, w, c] = inShape;
  const [, oh, ow] = outShape;
  const dx = new Array<number>(n * h * w * c).fill(0);
  const range = (start: number, count: number, length: number) =>
    Array.from({ length: count }, (_, i) => start + i).filter((i) => i >= 0 && i < length);
  for (let b = 0; b < n; b++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++) {
        const rows = range(i * strideHeight - padInfo.top, filterHeight, h);
        const columns = range(j * strideWidth - padInfo.left, filterWidth, w);
        for (const row of rows)
          for (const column of columns)
            for (let k = 0; k < c; k++)
              dx[((b * h + row) * w + column) * c + k]! += dy[((b * oh + i) * ow + j) * c + k]! / (rows.length * columns.length);
      }
  return dx;
}

const pooling = POOLS.flatMap(([size, strides, pad]): OpCase[] => {
  const name = `${size}/${strides} ${pad}`;
  const info = tf.backend_util.computePool2DInfo([2, 7, 9, 5], size, strides, 1, pad);
  const attributes = { filterSize: size, strides, pad };
  return [
    {
      name: `pooling ${name}`,
      run: (x) => [tf.avgPool(four(x), size, strides, pad), tf.maxPool(four(x), size, strides, pad)],
      args: () => [floats([2, 7, 9, 5])],
    },
    {
      name: `gradient of average pooling ${name}`,
      run: (x, dy) => tf.engine().runKernel('AvgPoolGrad', { dy: dy!, input: x! }, attributes as never) as Tensor,
      args: () => [floats([2, 7, 9, 5]), floats(info.outShape, 2)],
      truth: {
        reason: "tfjs cpu divides by the whole window at a padded border, though its average divides by the window's part inside",
        values: (_, dy) => [averageGradient(dy!, info)],
      },
    },
    {
      name: `gradient of maximum pooling ${name}`,
      run: (x, dy) =>
        tf
          .engine()
          .runKernel('MaxPoolGrad', { dy: dy!, input: x!, output: tf.maxPool(four(x), size, strides, pad) }, attributes as never) as Tensor,
      args: () => [floats([2, 7, 9, 5]), floats(info.outShape, 2)],
    },
  ];
});

export const windowCases: readonly OpCase[] = [
  ...convolutions,
  ...planar,
  ...depthwise,
  ...pooling,
  {
    name: 'maxPoolWithArgmax',
    run: (x) => [true, false].flatMap((withBatch) => Object.values(tf.maxPoolWithArgmax(four(x), [2, 3], 2, 'same', withBatch))),
    args: () => [floats([2, 5, 6, 3])],
  },
  {
    name: 'fused depthwiseConv2d',
    run: (x, filter, bias) =>
      tf.fused.depthwiseConv2d({ x: four(x), filter: four(filter), strides: 1, pad: 'same', bias: bias!, activation: 'relu' }),
    args: () => [floats([2, 5, 6, 3]), floats([3, 3, 3, 1], 2), floats([3], 3)],
  },
];
