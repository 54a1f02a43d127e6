import type { Node, Reduce } from '../../ir/index.js';
import { item } from '../../ir/shape.js';
import { type Affine, known, loopOver, loopVariable } from './affine.js';
import type { Lowering } from './context.js';
import { type Expression, numberOf } from './expression.js';
import { termsOf } from './plan.js';
import { withoutLogs } from './stable.js';

/** Operand indices of a matrix product's element: leading axes broadcast, `k` runs over the terms. */
export function productIndices(node: Node, index: readonly Affine[], k: Affine): readonly [readonly Affine[], readonly Affine[]] {
  const [a, b] = [item(node.inputs, 0), item(node.inputs, 1)];
  const { transposeA, transposeB } = node.op === 'MatMul' ? node.attributes : { transposeA: false, transposeB: false };
  const leading = index.slice(0, -2);
  const [row, column] = [item(index, index.length - 2), item(index, index.length - 1)];
  const own = (operand: Node) => leading.slice(leading.length - (operand.shape.length - 2));
  return [
    [...own(a), ...(transposeA ? [k, row] : [row, k])],
    [...own(b), ...(transposeB ? [column, k] : [k, column])],
  ];
}

export const reduceOf = (node: Node): Reduce => (node.op === 'Max' || node.op === 'Min' || node.op === 'Prod' ? node.op : 'Sum');

/** One element of a long reduction or product: a scalar summed by a loop of its own. */
export function totalOf(lower: Lowering, node: Node, index: readonly Affine[]): Expression {
  const x = item(node.inputs, 0);
  if (node.op === 'MatMul') {
    const [a, b] = productIndices(node, index, loopVariable(0));
    const term = lower.x.binary('Mul', lower.element(x, a), lower.element(item(node.inputs, 1), b));
    return lower.total('Sum', term, [termsOf(node)], 1 + lower.plan.cost(x));
  }
  const axes = 'axes' in node.attributes ? node.attributes.axes : [];
  const { extents, index: inner } = loopOver(x.shape.map((length, axis) => (axes.includes(axis) ? length : 1)));
  const value = lower.element(
    x,
    x.shape.map((_, axis) => (axes.includes(axis) ? item(inner, axis) : (index[axis] ?? known(0)))),
  );
  const reduce = reduceOf(node);
  const weight = 1 + lower.plan.cost(x);
  return reduce === 'Sum' && extents.length > 0 ? sumOf(lower, value, extents, weight) : lower.total(reduce, value, extents, weight);
}

/** Statements of one turn of a product. */
const LOG_WEIGHT = 3;

/** A sum whose terms log1p(t), as those of a softplus, are the logarithm of one product. */
function sumOf(lower: Lowering, value: Expression, extents: readonly number[], weight: number): Expression {
  const { x } = lower;
  const { rest, added, subtracted } = withoutLogs(x, value);
  // What t needs is part of the weight already, or shared.
  const logs = (t: Expression) => lower.total('SumLog1p', t, extents, LOG_WEIGHT);
  const sum = numberOf(rest) === 0 ? rest : lower.total('Sum', rest, extents, weight);
  const more = added.reduce((all, each) => x.binary('Add', all, logs(each)), sum);
  return subtracted.reduce((all, each) => x.binary('Sub', all, logs(each)), more);
}
