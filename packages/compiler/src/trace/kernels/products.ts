import { ShapeError } from '@bpc/core';
import { backend_util } from '@tensorflow/tfjs-core';
import { type Builder, binary, cast, matMul, type Node, reduce, reshape, transpose } from '../../ir/index.js';
import { item, sizeOf } from '../../ir/shape.js';
import { type FusedAttributes, type FusedOperands, finish } from './activations.js';
import { kernel, type TraceKernel, variadicKernel } from './kernel.js';

type Transposes = { transposeA?: boolean; transposeB?: boolean };

/** A factor of an einsum: its axes are named by numbers. */
type Factor = { readonly node: Node; readonly axes: readonly number[] };

/** The sum over the axes that nobody needs. */
function summed(g: Builder, { node, axes }: Factor, needed: ReadonlySet<number>): Factor {
  const gone = axes.flatMap((axis, i) => (needed.has(axis) ? [] : [i]));
  return { node: gone.length === 0 ? node : reduce(g, 'Sum', node, gone, false), axes: axes.filter((axis) => needed.has(axis)) };
}

const ordered = (g: Builder, { node, axes }: Factor, order: readonly number[]): Node =>
  transpose(
    g,
    node,
    order.map((axis) => axes.indexOf(axis)),
  );

/** a·b, summed over common axes that are not `needed`: a matrix product with the axes of each kind joined into one. */
function contract(g: Builder, a: Factor, b: Factor, needed: ReadonlySet<number>): Factor {
  const length = (axis: number) =>
    a.axes.includes(axis) ? item(a.node.shape, a.axes.indexOf(axis)) : item(b.node.shape, b.axes.indexOf(axis));
  const lengths = (axes: readonly number[]) => axes.map(length);
  const common = a.axes.filter((axis) => b.axes.includes(axis));
  const batch = common.filter((axis) => needed.has(axis));
  const terms = common.filter((axis) => !needed.has(axis));
  const rows = a.axes.filter((axis) => !common.includes(axis));
  const columns = b.axes.filter((axis) => !common.includes(axis));
  const axes = [...batch, ...rows, ...columns];
  const left = ordered(g, a, [...batch, ...rows, ...terms]);
  const right = ordered(g, b, [...batch, ...terms, ...columns]);
  if (terms.length === 0) {
    const ones = (list: readonly number[]) => list.map(() => 1);
    const node = binary(
      g,
      'Mul',
      reshape(g, left, [...lengths(batch), ...lengths(rows), ...ones(columns)]),
      reshape(g, right, [...lengths(batch), ...ones(rows), ...lengths(columns)]),
    );
    return { node, axes };
  }
  const [r, t, c] = [rows, terms, columns].map((list) => sizeOf(lengths(list))) as [number, number, number];
  const joined = matMul(g, reshape(g, left, [...lengths(batch), r, t]), reshape(g, right, [...lengths(batch), t, c]));
  return { node: reshape(g, joined, lengths(axes)), axes };
}

/** Products from left to right; axes are summed as soon as no later factor has them. */
function einsum(g: Builder, operands: readonly Node[], equation: string): Node {
  const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(equation, operands.length);
  backend_util.checkEinsumDimSizes(allDims.length, idDims, operands.map(({ shape }) => ({ shape })) as never);
  const result = allDims.slice(0, allDims.length - summedDims.length).map((_, i) => i);
  const factors = operands.map((node, i): Factor => ({ node, axes: item(idDims, i) }));
  const total = factors.reduce((done, factor, i) => {
    const own = (factors_: readonly Factor[]) => factors_.flatMap(({ axes }) => axes);
    const later = new Set([...result, ...own(factors.slice(i + 1))]);
    const before = summed(g, done, new Set([...later, ...factor.axes]));
    return contract(g, before, summed(g, factor, new Set([...later, ...done.axes])), later);
  });
  const whole = summed(g, total, new Set(result));
  return ordered(g, whole, result);
}

/** The product, of operands that tfjs leaves to the kernel to check. */
function product(g: Builder, a: Node, b: Node, { transposeA = false, transposeB = false }: Transposes): Node {
  const inner = [a.shape.at(transposeA ? -2 : -1), b.shape.at(transposeB ? -1 : -2)] as const;
  if (a.shape.length < 2 || b.shape.length < 2 || inner[0] !== inner[1]) {
    throw new ShapeError(
      `matMul got [${a.shape}]${transposeA ? ' transposed' : ''} and [${b.shape}]${transposeB ? ' transposed' : ''}`,
      'pass matrices, the first with as many columns as the second has rows',
    );
  }
  return matMul(g, a, b, transposeA, transposeB);
}

/** Matrix products and sums of products. */
export const productKernels: readonly TraceKernel[] = [
  kernel<'a' | 'b', Transposes>('BatchMatMul', (g, { a, b }, attributes) => product(g, a, b, attributes)),
  kernel<'a' | 'b', Transposes & FusedAttributes>('_FusedMatMul', (g, operands, attributes) => {
    const { a, b } = operands;
    return finish(g, product(g, a, b, attributes), operands as FusedOperands, attributes);
  }),
  variadicKernel<{ equation: string }>('Einsum', (g, operands, { equation }) => {
    const dtype = operands.every((x) => x.dtype === 'int32') ? 'int32' : 'float32';
    return cast(g, einsum(g, operands, equation), dtype);
  }),
];
