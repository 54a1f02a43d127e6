import type { Node, NodeOf } from '../../ir/index.js';
import { item, sizeOf } from '../../ir/shape.js';
import { addScaled, coefficientOf, flatIndex, known, loopOver, loopVariable } from './affine.js';
import { callOf } from './calls.js';
import type { Lowering } from './context.js';
import { elementOf } from './element.js';
import { isReduction, termsOf } from './plan.js';
import { productIndices, reduceOf } from './totals.js';

/** Computes a node into storage. */
export function materialize(lower: Lowering, node: Node): void {
  const unrolled = lower.plan.isUnrolled(node);
  if (lower.plan.isCall(node)) callOf(lower, node);
  else if (node.op === 'Pad') padded(lower, node);
  else if (node.op === 'Concat') concatenated(lower, node);
  else if (node.op === 'ScatterAdd') scattered(lower, node);
  else if (node.op === 'MatMul' && !unrolled) product(lower, node);
  else if (isReduction(node) && !unrolled) reduction(lower, node);
  else elementwise(lower, node, unrolled ? termsOf(node) : 1);
}

/** One loop over the elements, with everything that is inlined into them. */
function elementwise(lower: Lowering, node: Node, terms: number): void {
  const { extents, index } = loopOver(node.shape);
  const value = elementOf(lower, node, index);
  const storage = lower.store(node, value.level + 1);
  const weight = node.inputs.reduce((sum, x) => sum + lower.plan.cost(x), 1) * terms;
  lower.addRoot(value.level, extents, { kind: 'store', place: { storage, index: flatIndex(node.shape, index) }, value }, weight);
}

/** The source moved into storage whose border never changes. */
function padded(lower: Lowering, node: NodeOf<'Pad'>): void {
  const x = item(node.inputs, 0);
  const { paddings, value: fill } = node.attributes;
  const { extents, index } = loopOver(x.shape);
  const value = lower.element(x, index);
  const storage = lower.store(node, value.level + 1, fill);
  const moved = index.map((each, axis) => addScaled(known(item(item(paddings, axis), 0)), each));
  const place = { storage, index: flatIndex(node.shape, moved) };
  lower.addRoot(value.level, extents, { kind: 'store', place, value }, lower.plan.cost(x));
}

function concatenated(lower: Lowering, node: NodeOf<'Concat'>): void {
  const { axis } = node.attributes;
  const parts = node.inputs.map((part) => {
    const { extents, index } = loopOver(part.shape);
    return { part, extents, index, value: lower.element(part, index) };
  });
  const level = Math.max(...parts.map(({ value }) => value.level));
  const storage = lower.store(node, level + 1);
  let start = 0;
  for (const { part, extents, index, value } of parts) {
    const moved = index.map((each, i) => (i === axis ? addScaled(known(start), each) : each));
    start += item(part.shape, axis);
    lower.addRoot(
      value.level,
      extents,
      { kind: 'store', place: { storage, index: flatIndex(node.shape, moved) }, value },
      lower.plan.cost(part),
    );
  }
}

function scattered(lower: Lowering, node: Node): void {
  const [rows, ids] = [item(node.inputs, 0), item(node.inputs, 1)];
  const { extents, index } = loopOver(rows.shape);
  const row = lower.element(ids, index.slice(0, 1));
  const value = lower.element(rows, index);
  const width = sizeOf(node.shape.slice(1));
  const level = Math.max(row.level, value.level);
  const storage = lower.store(node, level + 1);
  const place = {
    storage,
    index: flatIndex(node.shape.slice(1), index.slice(1)),
    dynamic: { row, scale: width, count: item(node.shape, 0) },
  };
  lower.addRoot(level, extents, { kind: 'accumulate', reduce: 'Sum', place, value }, lower.plan.cost(rows));
}

/** A matrix–vector product: one sum per element, or all sums at once where that reads the matrix in order. */
function product(lower: Lowering, node: NodeOf<'MatMul'>): void {
  const [a, b] = [item(node.inputs, 0), item(node.inputs, 1)];
  const { extents, index } = loopOver(node.shape);
  const { transposeA, transposeB } = node.attributes;
  const isColumn = item(node.shape, node.shape.length - 1) === 1;
  if (extents.length > 0 && (isColumn ? transposeA : !transposeB)) {
    const last = extents.length - 1;
    // The terms run in the loop around the last one.
    const moved = index.map((each) =>
      addScaled(each, addScaled(loopVariable(last + 1), loopVariable(last), -1), coefficientOf(each, last)),
    );
    const [left, right] = productIndices(node, moved, loopVariable(last));
    const value = lower.x.binary('Mul', lower.element(a, left), lower.element(b, right));
    const storage = lower.store(node, value.level + 1);
    const place = { storage, index: flatIndex(node.shape, moved) };
    const loops = [...extents.slice(0, last), termsOf(node), item(extents, last)];
    lower.addRoot(value.level, loops, { kind: 'accumulate', reduce: 'Sum', place, value }, 2 + lower.plan.cost(a) + lower.plan.cost(b));
    return;
  }
  const [left, right] = productIndices(node, index, loopVariable(extents.length));
  const value = lower.x.binary('Mul', lower.element(a, left), lower.element(b, right));
  const storage = lower.store(node, value.level + 1);
  const place = { storage, index: flatIndex(node.shape, index) };
  lower.addRoot(
    value.level,
    [...extents, termsOf(node)],
    { kind: 'inner', name: lower.name(), reduce: 'Sum', place, value },
    2 + lower.plan.cost(a) + lower.plan.cost(b),
    1,
  );
}

/** A long reduction: a running scalar if the last axis is reduced, else into memory while the source is read in order. */
function reduction(lower: Lowering, node: Node): void {
  const x = item(node.inputs, 0);
  const axes = 'axes' in node.attributes ? node.attributes.axes : [];
  const long = x.shape.flatMap((length, axis) => (length === 1 ? [] : [axis]));
  const weight = 1 + lower.plan.cost(x);
  const reduce = reduceOf(node);
  const last = long.at(-1);
  if (last !== undefined && axes.includes(last)) {
    const outer = loopOver(node.shape);
    const inner = loopOver(
      x.shape.map((length, axis) => (axes.includes(axis) ? length : 1)),
      outer.extents.length,
    );
    const index = x.shape.map((_, axis) => item(axes.includes(axis) ? inner.index : outer.index, axis));
    const value = lower.element(x, index);
    const storage = lower.store(node, value.level + 1);
    const place = { storage, index: flatIndex(node.shape, outer.index) };
    lower.addRoot(
      value.level,
      [...outer.extents, ...inner.extents],
      { kind: 'inner', name: lower.name(), reduce, place, value },
      weight,
      inner.extents.length,
    );
    return;
  }
  const { extents, index } = loopOver(x.shape);
  const value = lower.element(x, index);
  const storage = lower.store(node, value.level + 1);
  const place = { storage, index: flatIndex(node.shape, index) };
  lower.addRoot(value.level, extents, { kind: 'accumulate', reduce, place, value }, weight);
}
