import type { Builder } from './builder.js';
import { scalar } from './constant.js';
import type { DType, Node, NodeOf, Shape, Window } from './node.js';
import { broadcastShapes, item, sameShape } from './shape.js';
import { broadcast } from './views.js';

/** x without a transposition of its last two axes, which the product does itself; and whether there was one. */
function untranspose(x: Node): { x: Node; swapped: boolean } {
  const rank = x.shape.length;
  if (x.op !== 'Transpose') return { x, swapped: false };
  const { perm } = x.attributes;
  const swaps = perm.every((axis, i) => axis === (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
  return swaps ? { x: item(x.inputs, 0), swapped: true } : { x, swapped: false };
}

/** x without a repetition of its leading axes, which the product repeats itself. */
function unrepeat(x: Node): Node {
  const inner = x.inputs[0];
  if (x.op !== 'Broadcast' || !inner || inner.shape.length < 2) return x;
  return sameShape(inner.shape.slice(-2), x.shape.slice(-2)) ? inner : x;
}

/** Zeros, where a sum has no terms because an operand has no elements. */
function emptySum(g: Builder, operands: readonly Node[], shape: Shape, dtype: DType): Node | undefined {
  return operands.some((x) => x.shape.includes(0)) ? broadcast(g, scalar(g, 0, dtype), shape) : undefined;
}

/** Matrix product of the last two axes; leading axes broadcast. */
export function matMul(g: Builder, a: Node, b: Node, transposeA = false, transposeB = false): Node {
  const rows = item(a.shape, a.shape.length - (transposeA ? 1 : 2));
  const columns = item(b.shape, b.shape.length - (transposeB ? 2 : 1));
  const shape = [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
  const dtype = a.dtype === 'int32' && b.dtype === 'int32' ? 'int32' : 'float32';
  const empty = emptySum(g, [a, b], shape, dtype);
  if (empty) return empty;
  if (g.simplify) {
    const bare = [unrepeat(a), unrepeat(b)] as const;
    if (bare[0] !== a || bare[1] !== b) return broadcast(g, matMul(g, ...bare, transposeA, transposeB), shape);
    // matMul(xᵀ, y) reads x by columns instead of moving it
    const left = untranspose(a);
    const right = untranspose(b);
    if (left.swapped || right.swapped) return matMul(g, left.x, right.x, transposeA !== left.swapped, transposeB !== right.swapped);
  }
  return g.emit('MatMul', [a, b], { transposeA, transposeB }, shape, dtype);
}

/** Cholesky factors of the matrices in the last two axes. */
export const cholesky = (g: Builder, a: Node): Node => g.emit('Cholesky', [a], {}, a.shape, 'float32');

/** Solutions of the triangular systems in the last two axes. */
export const triangularSolve = (g: Builder, l: Node, b: Node, transpose: boolean): Node =>
  g.emit('TriangularSolve', [l, b], { transpose }, b.shape, 'float32');

type Windowed = 'Conv' | 'ConvInputGrad' | 'ConvFilterGrad' | 'AvgPool' | 'AvgPoolGrad' | 'MaxPool' | 'MaxPoolGrad' | 'MaxPoolGather';

/** Convolution, pooling and their gradients; the caller knows the result's shape. */
export function windowed(g: Builder, op: Windowed, operands: readonly Node[], window: Window, shape: Shape): Node {
  return emptySum(g, operands, shape, 'float32') ?? g.emit(op, operands, window, shape, 'float32');
}

/** Rows of `x` at `index`. */
export function gather(g: Builder, x: Node, index: Node): Node {
  return g.emit('Gather', [x, index], {}, [...index.shape, ...x.shape.slice(1)], x.dtype);
}

/** Sum of the rows with each index, `count` of them; rows with a negative index are dropped. */
export function scatterAdd(g: Builder, rows: Node, index: Node, count: number): Node {
  const shape = [count, ...rows.shape.slice(1)];
  return emptySum(g, [rows], shape, rows.dtype) ?? g.emit('ScatterAdd', [rows, index], {}, shape, rows.dtype);
}

/** Cumulative sum along `axis`. */
export function cumSum(g: Builder, x: Node, attributes: NodeOf<'CumSum'>['attributes']): Node {
  return g.emit('CumSum', [x], attributes, x.shape, x.dtype);
}

/** Positions of the `k` largest elements along the last axis, largest first. */
export function topK(g: Builder, x: Node, k: number): Node {
  return g.emit('TopK', [x], { k }, [...x.shape.slice(0, -1), k], 'int32');
}

/** Index of the first maximum along `axis`, which disappears. */
export function argMax(g: Builder, x: Node, axis: number): Node {
  return g.emit(
    'ArgMax',
    [x],
    { axis },
    x.shape.filter((_, i) => i !== axis),
    'int32',
  );
}
