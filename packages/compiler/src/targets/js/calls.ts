import type { Node, NodeOf, Shape, Window } from '../../ir/index.js';
import { broadcastShapes, item, sizeOf, stridesOf, unravel } from '../../ir/shape.js';
import type { Lowering } from './context.js';
import { termsOf } from './plan.js';
import { scanGeometry } from './scan.js';

/** Sizes of a convolution or pooling, as its kernels take them. */
export type WindowGeometry = Window & {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
};

/** A batch of equal matrix products: strides of the two matrices, and where each pair starts. */
export type ProductGeometry = {
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
  readonly a: readonly [row: number, column: number];
  readonly b: readonly [row: number, column: number];
  readonly starts: readonly (readonly [a: number, b: number])[];
};

/** An axis with what is before and after it. */
export type AxisGeometry = {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly exclusive?: boolean;
  readonly reverse?: boolean;
};

/** Rows along the innermost axis, and how many elements of each are kept. */
export type SelectionGeometry = AxisGeometry & { readonly kept: number };

/** Triangular systems, or (without columns) factorisations; `size` is that of a matrix, `length` that of the whole result. */
export type MatrixGeometry = { readonly size: number; readonly columns: number; readonly transpose: boolean; readonly length: number };

function windowGeometry(window: Window, input: Shape, output: Shape): WindowGeometry {
  return {
    ...window,
    images: item(input, 0),
    height: item(input, 1),
    width: item(input, 2),
    channels: item(input, 3),
    outHeight: item(output, 1),
    outWidth: item(output, 2),
    outChannels: item(output, 3),
  };
}

function productGeometry(node: NodeOf<'MatMul'>): ProductGeometry {
  const [a, b] = [item(node.inputs, 0), item(node.inputs, 1)];
  const leading = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const start = (operand: Node, batch: number) => {
    const shape = operand.shape.slice(0, -2);
    const strides = stridesOf(operand.shape);
    const at = unravel(batch, leading).slice(leading.length - shape.length);
    return at.reduce((sum, each, axis) => sum + (shape[axis] === 1 ? 0 : each * item(strides, axis)), 0);
  };
  const { transposeA, transposeB } = node.attributes;
  const [wa, wb] = [item(a.shape, a.shape.length - 1), item(b.shape, b.shape.length - 1)];
  return {
    rows: item(node.shape, node.shape.length - 2),
    columns: item(node.shape, node.shape.length - 1),
    terms: termsOf(node),
    a: transposeA ? [1, wa] : [wa, 1],
    b: transposeB ? [1, wb] : [wb, 1],
    starts: Array.from({ length: sizeOf(leading) }, (_, batch) => [start(a, batch), start(b, batch)] as const),
  };
}

const axisGeometry = (shape: Shape, axis: number): AxisGeometry => ({
  outer: sizeOf(shape.slice(0, axis)),
  length: item(shape, axis),
  inner: sizeOf(shape.slice(axis + 1)),
});

function geometryOf(node: Node): object {
  if (node.op === 'Scan') return scanGeometry(node);
  const first = item(node.inputs, 0);
  switch (node.op) {
    case 'MatMul':
      return productGeometry(node);
    case 'CumSum':
      return { ...axisGeometry(first.shape, node.attributes.axis), exclusive: node.attributes.exclusive, reverse: node.attributes.reverse };
    case 'ArgMax':
      return axisGeometry(first.shape, node.attributes.axis);
    case 'TopK':
      return { ...axisGeometry(first.shape, first.shape.length - 1), kept: node.attributes.k } satisfies SelectionGeometry;
    case 'Cholesky':
      return {
        size: item(node.shape, node.shape.length - 1),
        columns: 0,
        transpose: false,
        length: sizeOf(node.shape),
      } satisfies MatrixGeometry;
    case 'TriangularSolve': {
      const [size, columns] = [item(node.shape, node.shape.length - 2), item(node.shape, node.shape.length - 1)];
      return { size, columns, transpose: node.attributes.transpose, length: sizeOf(node.shape) } satisfies MatrixGeometry;
    }
    case 'Conv':
    case 'AvgPool':
    case 'MaxPool':
      return windowGeometry(node.attributes, first.shape, node.shape);
    case 'ConvInputGrad':
    case 'AvgPoolGrad':
    case 'MaxPoolGrad':
      return windowGeometry(node.attributes, node.shape, first.shape);
    case 'ConvFilterGrad':
      return windowGeometry(node.attributes, first.shape, item(node.inputs, 1).shape);
    case 'MaxPoolGather':
      return windowGeometry(node.attributes, first.shape, node.shape);
    default:
      throw new Error(`${node.op} has no kernel`);
  }
}

/** One call of a hand-written kernel. */
export function callOf(lower: Lowering, node: Node): void {
  const inputs = node.inputs.map((operand) => lower.inMemory(operand));
  const level = Math.max(0, ...inputs.map((storage) => storage.level));
  const output = lower.store(node, level + 1);
  lower.addCall({ kind: 'call', level, kernel: node.op, output, inputs, geometry: geometryOf(node) });
}
