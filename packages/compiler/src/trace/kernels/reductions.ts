import { argMax, type Builder, binary, cast, compare, mean, type Node, type Reduce, reduce, scalar, unary } from '../../ir/index.js';
import { axisOf } from './axes.js';
import { kernel, type TraceKernel } from './kernel.js';

type ReduceAttributes = { axis?: number | number[] | null; reductionIndices?: number | number[] | null; keepDims?: boolean };

function axesOf(x: Node, attributes: ReduceAttributes): number[] {
  const axes = attributes.axis ?? attributes.reductionIndices;
  return axes == null ? x.shape.map((_, i) => i) : typeof axes === 'number' ? [axes] : axes;
}

const numeric = (g: Builder, x: Node): Node => (x.dtype === 'bool' ? cast(g, x, 'int32') : x);

const reduction = (name: string, op: Reduce): TraceKernel =>
  kernel<'x', ReduceAttributes>(name, (g, { x }, attributes) =>
    reduce(g, op, numeric(g, x), axesOf(x, attributes), attributes.keepDims ?? false),
  );

/** All and Any ask whether the minimum or the maximum of 0 and 1 is above 0, which is right of no elements too. */
const logicalReduction = (name: string, op: 'Min' | 'Max'): TraceKernel =>
  kernel<'x', ReduceAttributes>(name, (g, { x }, attributes) =>
    compare(g, 'Greater', reduce(g, op, numeric(g, x), axesOf(x, attributes), attributes.keepDims ?? false), scalar(g, 0, 'int32')),
  );

const position = (g: Builder, x: Node, axis: number | number[]): Node =>
  argMax(g, x, axisOf(Array.isArray(axis) ? (axis[0] ?? 0) : axis, x.shape.length));

/** x − max, and log Σ exp of it: finite whatever the size of x. */
function shifted(g: Builder, logits: Node, axis: number): { centred: Node; logSum: Node; exp: Node; sum: Node } {
  const centred = binary(g, 'Sub', logits, reduce(g, 'Max', logits, [axis], true));
  const exp = unary(g, 'Exp', centred);
  const sum = reduce(g, 'Sum', exp, [axis], true);
  return { centred, exp, sum, logSum: unary(g, 'Log', sum) };
}

/** Reductions, and the softmax kernels that are made of them. */
export const reductionKernels: readonly TraceKernel[] = [
  reduction('Sum', 'Sum'),
  reduction('Max', 'Max'),
  reduction('Min', 'Min'),
  reduction('Prod', 'Prod'),
  logicalReduction('All', 'Min'),
  logicalReduction('Any', 'Max'),
  kernel<'x', ReduceAttributes>('Mean', (g, { x }, attributes) =>
    mean(g, cast(g, x, 'float32'), axesOf(x, attributes), attributes.keepDims ?? false),
  ),
  kernel<'x', { axis: number }>('ArgMax', (g, { x }, { axis }) => position(g, numeric(g, x), axis)),
  kernel<'x', { axis: number }>('ArgMin', (g, { x }, { axis }) => position(g, unary(g, 'Neg', numeric(g, x)), axis)),
  kernel<'logits', { dim: number }>('Softmax', (g, { logits }, { dim }) => {
    const { exp, sum } = shifted(g, logits, dim);
    return binary(g, 'Div', exp, sum);
  }),
  kernel<'logits', { axis: number }>('LogSoftmax', (g, { logits }, { axis }) => {
    const { centred, logSum } = shifted(g, logits, axis);
    return binary(g, 'Sub', centred, logSum);
  }),
];
