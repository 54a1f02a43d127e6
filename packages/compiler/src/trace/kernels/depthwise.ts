import { ConfigError } from '@bpc/core';
import { type Builder, binary, concat, type Node, pad, reduce, reshape, type Shape, slice, type Window } from '../../ir/index.js';
import { item } from '../../ir/shape.js';
import { type FusedAttributes, type FusedOperands, finish } from './activations.js';
import { range } from './axes.js';
import { type ConvAttributes, convolution, type Geometry } from './geometry.js';
import { kernel, type TraceKernel } from './kernel.js';

/*
 * Depthwise convolution is written out tap by tap: y = Σ over taps of (what the tap sees)·(its weights), element by
 * element. There is no matrix product in it to gain from; the js target makes one loop of the whole sum.
 */

type Sizes = { readonly n: number; readonly h: number; readonly w: number; readonly c: number; readonly m: number };

const tapsOf = ({ kernel: [rows, columns] }: Window) => range(0, rows).flatMap((i) => range(0, columns).map((j) => [i, j] as const));

const sum = (g: Builder, terms: readonly Node[]): Node => terms.reduce((a, b) => binary(g, 'Add', a, b));

function sizes(x: Shape, filter: Shape): Sizes {
  return { n: item(x, 0), h: item(x, 1), w: item(x, 2), c: item(x, 3), m: item(filter, 3) };
}

function geometryOf(x: Shape, filter: Shape, attributes: ConvAttributes): Geometry {
  if (attributes.dataFormat === 'NCHW') {
    throw new ConfigError('depthwiseConv2d has dataFormat NCHW', 'transpose the images to NHWC, as every tfjs backend demands');
  }
  return convolution(x, filter, attributes, true);
}

/** Weights of one tap, [c, m]. */
const weightsOf = (g: Builder, filter: Node, i: number, j: number, { c, m }: Sizes): Node =>
  reshape(g, slice(g, filter, [i, j, 0, 0], [1, 1, c, m]), [c, m]);

/** What each tap sees of x, [n, oh, ow, c]. */
function views(g: Builder, x: Node, { n, h, w, c }: Sizes, { window, outShape }: Geometry): Node[] {
  const { strides, dilations, padding, kernel: taps } = window;
  const [oh, ow] = [item(outShape, 1), item(outShape, 2)];
  const reach = (axis: 0 | 1, outputs: number) => (outputs - 1) * strides[axis] + (taps[axis] - 1) * dilations[axis] + 1;
  const after = (axis: 0 | 1, length: number, outputs: number) => Math.max(0, reach(axis, outputs) - length - padding[axis]);
  const around: [number, number][] = [
    [0, 0],
    [padding[0], after(0, h, oh)],
    [padding[1], after(1, w, ow)],
    [0, 0],
  ];
  const padded = pad(g, x, around, 0);
  return tapsOf(window).map(([i, j]) =>
    slice(g, padded, [0, i * dilations[0], j * dilations[1], 0], [n, oh, ow, c], [1, strides[0], strides[1], 1]),
  );
}

function forward(g: Builder, x: Node, filter: Node, attributes: ConvAttributes): Node {
  const geometry = geometryOf(x.shape, filter.shape, attributes);
  const size = sizes(x.shape, filter.shape);
  const { n, c, m } = size;
  const [oh, ow] = [item(geometry.outShape, 1), item(geometry.outShape, 2)];
  const seen = views(g, x, size, geometry);
  const terms = tapsOf(geometry.window).map(([i, j], tap) => {
    const weights = weightsOf(g, filter, i, j, size);
    // With one output per channel no axis has to be added, which would go through memory.
    if (m === 1) return binary(g, 'Mul', item(seen, tap), reshape(g, weights, [c]));
    return binary(g, 'Mul', reshape(g, item(seen, tap), [n, oh, ow, c, 1]), weights);
  });
  return reshape(g, sum(g, terms), [n, oh, ow, c * m]);
}

/** `share` [n, oh, ow, c] of a tap, spread out by the strides and moved to where the tap lies in the image. */
function place(g: Builder, share: Node, size: Sizes, { window, outShape }: Geometry, offset: readonly [number, number]): Node {
  const { strides } = window;
  const [oh, ow] = [item(outShape, 1), item(outShape, 2)];
  const { n, h, w, c } = size;
  const between: [number, number][] = [
    [0, 0],
    [0, 0],
    [0, strides[0] - 1],
    [0, 0],
    [0, strides[1] - 1],
    [0, 0],
  ];
  const spread = reshape(g, pad(g, reshape(g, share, [n, oh, 1, ow, 1, c]), between, 0), [n, oh * strides[0], ow * strides[1], c]);
  const along = (length: number, from: number, target: number) => {
    const begin = Math.max(0, -from);
    const count = Math.max(0, Math.min(length - begin, target - Math.max(0, from)));
    return { begin, count, before: Math.max(0, from), after: target - Math.max(0, from) - count };
  };
  const [rows, columns] = [along(oh * strides[0], offset[0], h), along(ow * strides[1], offset[1], w)];
  const inside = slice(g, spread, [0, rows.begin, columns.begin, 0], [n, rows.count, columns.count, c]);
  const around: [number, number][] = [
    [0, 0],
    [rows.before, rows.after],
    [columns.before, columns.after],
    [0, 0],
  ];
  return pad(g, inside, around, 0);
}

function inputGradient(g: Builder, dy: Node, filter: Node, inputShape: Shape, attributes: ConvAttributes): Node {
  const geometry = geometryOf(inputShape, filter.shape, attributes);
  const size = sizes(inputShape, filter.shape);
  const { dilations, padding } = geometry.window;
  const split = reshape(g, dy, [...dy.shape.slice(0, 3), size.c, size.m]);
  const shares = tapsOf(geometry.window).map(([i, j]) => {
    const share = reduce(g, 'Sum', binary(g, 'Mul', split, weightsOf(g, filter, i, j, size)), [4], false);
    return place(g, share, size, geometry, [i * dilations[0] - padding[0], j * dilations[1] - padding[1]]);
  });
  return sum(g, shares);
}

function filterGradient(g: Builder, x: Node, dy: Node, filterShape: Shape, attributes: ConvAttributes): Node {
  const geometry = geometryOf(x.shape, filterShape, attributes);
  const size = sizes(x.shape, filterShape);
  const split = reshape(g, dy, [...dy.shape.slice(0, 3), size.c, size.m]);
  const taps = views(g, x, size, geometry).map((seen) => {
    const products = binary(g, 'Mul', reshape(g, seen, [...seen.shape, 1]), split);
    return reshape(g, reduce(g, 'Sum', products, [0, 1, 2], false), [1, size.c, size.m]);
  });
  return reshape(g, concat(g, taps, 0), filterShape);
}

/** Depthwise convolution and its gradients. */
export const depthwiseKernels: readonly TraceKernel[] = [
  kernel<'x' | 'filter', ConvAttributes>('DepthwiseConv2dNative', (g, { x, filter }, attributes) => forward(g, x, filter, attributes)),
  kernel<'x' | 'filter', ConvAttributes & FusedAttributes>('FusedDepthwiseConv2D', (g, operands, attributes) =>
    finish(g, forward(g, operands.x, operands.filter, attributes), operands as FusedOperands, attributes),
  ),
  kernel<'dy' | 'filter', ConvAttributes & { inputShape: number[] }>(
    'DepthwiseConv2dNativeBackpropInput',
    (g, { dy, filter }, attributes) => inputGradient(g, dy, filter, attributes.inputShape, attributes),
  ),
  kernel<'x' | 'dy', ConvAttributes & { filterShape: number[] }>('DepthwiseConv2dNativeBackpropFilter', (g, { x, dy }, attributes) =>
    filterGradient(g, x, dy, attributes.filterShape, attributes),
  ),
];
