import { bilinearWeights, nearestPositions, type ResizeGrid } from '@bpc/core';
import { type Builder, cast, constant, matMul, type Node, reshape } from '../../ir/index.js';
import { item, sizeOf } from '../../ir/shape.js';
import { gatherAlong } from './indexing.js';
import { kernel, type TraceKernel } from './kernel.js';

type Attributes = { alignCorners: boolean; halfPixelCenters: boolean; size: [number, number] };
type GradientAttributes = { alignCorners: boolean; halfPixelCenters?: boolean };

/** `rows` [oh, h] and `columns` [ow, w] applied to the height and width of NHWC images, or their transposes. */
function separable(g: Builder, x: Node, rows: Node, columns: Node, transposed: boolean): Node {
  const [n, h, w, c] = [0, 1, 2, 3].map((axis) => item(x.shape, axis)) as [number, number, number, number];
  const [oh, ow] = [item(rows.shape, transposed ? 1 : 0), item(columns.shape, transposed ? 1 : 0)];
  const tall = matMul(g, rows, reshape(g, x, [n, h, w * c]), transposed);
  const wide = matMul(g, columns, reshape(g, tall, [n * oh, w, c]), transposed);
  return reshape(g, wide, [n, oh, ow, c]);
}

const grids = (from: readonly number[], to: readonly number[], attributes: GradientAttributes): [ResizeGrid, ResizeGrid] => {
  const { alignCorners, halfPixelCenters = false } = attributes;
  const along = (axis: number): ResizeGrid => ({ inputs: item(from, axis), outputs: item(to, axis), alignCorners, halfPixelCenters });
  return [along(1), along(2)];
};

const bilinear = (g: Builder, grid: ResizeGrid): Node => constant(g, bilinearWeights(grid), [grid.outputs, grid.inputs]);

/** 0/1 matrix [outputs, inputs] of the nearest pixels. */
function nearest(g: Builder, grid: ResizeGrid): Node {
  const values = nearestPositions(grid).flatMap((position) => Array.from({ length: grid.inputs }, (_, i) => +(i === position)));
  return constant(g, values, [grid.outputs, grid.inputs]);
}

const resizeGradient = (name: string, matrix: (g: Builder, grid: ResizeGrid) => Node): TraceKernel =>
  kernel<'images' | 'dy', GradientAttributes>(name, (g, { images, dy }, attributes) => {
    const [rows, columns] = grids(images.shape, dy.shape, attributes);
    return separable(g, dy, matrix(g, rows), matrix(g, columns), true);
  });

/** Resizing is linear and acts on height and width apart, so it is two products with constant matrices. */
export const resizeKernels: readonly TraceKernel[] = [
  kernel<'images', Attributes>('ResizeBilinear', (g, { images }, attributes) => {
    const [rows, columns] = grids(images.shape, [0, ...attributes.size], attributes);
    return separable(g, cast(g, images, 'float32'), bilinear(g, rows), bilinear(g, columns), false);
  }),
  // Copies, which are exact for infinite values and integers too.
  kernel<'images', Attributes>('ResizeNearestNeighbor', (g, { images }, attributes) => {
    const [rows, columns] = grids(images.shape, [0, ...attributes.size], attributes);
    const pick = (x: Node, grid: ResizeGrid, axis: number) =>
      gatherAlong(g, x, constant(g, nearestPositions(grid), [grid.outputs], 'int32'), axis);
    return sizeOf(images.shape) === 0 ? images : pick(pick(images, rows, 1), columns, 2);
  }),
  resizeGradient('ResizeBilinearGrad', bilinear),
  resizeGradient('ResizeNearestNeighborGrad', nearest),
];
