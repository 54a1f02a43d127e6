import type { Builder } from './builder.js';
import { scalar } from './constant.js';
import { binary } from './elementwise.js';
import type { Node, Reduce, Shape } from './node.js';
import { item, normalizeAxes, padRank, sameShape, sizeOf } from './shape.js';
import { broadcast, reshape } from './views.js';

const lengthOver = (shape: Shape, axes: readonly number[]): number => axes.reduce((p, axis) => p * item(shape, axis), 1);

/** True if `x`, broadcast to `rank` axes, is the same along `axis`. */
function constantAlong(x: Node, axis: number, rank: number): boolean {
  const own = axis - (rank - x.shape.length);
  return own < 0 || x.shape[own] === 1;
}

/** Splits x = big ∘ small where small does not vary along `axes`; undefined if it does not split like that. */
function splitTerm(x: Node, axes: readonly number[]): { big: Node; small: Node; first: 'big' | 'small' } | undefined {
  if (x.op !== 'Add' && x.op !== 'Sub') return undefined;
  const [p, q] = [item(x.inputs, 0), item(x.inputs, 1)];
  const [big, small, first] = sizeOf(p.shape) >= sizeOf(q.shape) ? [p, q, 'big' as const] : [q, p, 'small' as const];
  const fits =
    sameShape(big.shape, x.shape) &&
    sizeOf(small.shape) < sizeOf(big.shape) &&
    axes.every((axis) => constantAlong(small, axis, x.shape.length));
  return fits ? { big, small, first } : undefined;
}

function joinTerm(g: Builder, x: Node, first: 'big' | 'small', big: Node, small: Node): Node {
  const op = x.op === 'Sub' ? 'Sub' : 'Add';
  return first === 'big' ? binary(g, op, big, small) : binary(g, op, small, big);
}

/** Sum over `axes`, which stay with length 1. */
function sumKeep(g: Builder, x: Node, over: readonly number[]): Node {
  const axes = over.filter((axis) => x.shape[axis] !== 1);
  if (axes.length === 0) return x;
  const shape = x.shape.map((length, i) => (axes.includes(i) ? 1 : length));
  const inner = x.inputs[0];
  if (g.simplify && inner) {
    // a sum over repeated elements is a product
    if (x.op === 'Broadcast') {
      const padded = padRank(inner.shape, x.shape.length);
      const repeated = axes.filter((axis) => padded[axis] === 1);
      const rest = axes.filter((axis) => padded[axis] !== 1);
      const scaled = binary(g, 'Mul', reshape(g, inner, padded), scalar(g, lengthOver(x.shape, repeated), x.dtype));
      return broadcast(g, sumKeep(g, scaled, rest), shape);
    }
    if (x.op === 'Mul') {
      const pulled = pullFactors(g, x, axes);
      if (pulled) return pulled;
    }
    // Σ(big + s) = Σbig + n·s
    const term = splitTerm(x, axes);
    if (term) {
      const repeatedSmall = binary(g, 'Mul', term.small, scalar(g, lengthOver(x.shape, axes), x.dtype));
      return broadcast(g, joinTerm(g, x, term.first, sumKeep(g, term.big, axes), repeatedSmall), shape);
    }
    // ΣΣ is one sum
    if (x.op === 'Sum') return sumKeep(g, inner, normalizeAxes([...x.attributes.axes, ...axes], x.shape.length));
  }
  return g.emit('Sum', [x], { axes }, shape, x.dtype);
}

/** True if `x`, a product, has a factor smaller than itself. */
function hasSmallFactor(x: Node): boolean {
  const [p, q] = x.inputs;
  if (x.op !== 'Mul' || !p || !q || p === q) return false;
  return [p, q].some((factor) => sizeOf(factor.shape) < sizeOf(x.shape) || (sameShape(factor.shape, x.shape) && hasSmallFactor(factor)));
}

/** Σ s·x = s·Σx for factors s that do not vary along the summed axes. */
function pullFactors(g: Builder, x: Node, axes: readonly number[]): Node | undefined {
  const factors: Node[] = [];
  const stack = [x];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const [p, q] = node.inputs;
    // Products of large factors only stay whole: they are often needed as they are elsewhere.
    if (p && q && sameShape(node.shape, x.shape) && hasSmallFactor(node)) stack.push(q, p);
    else factors.push(node);
  }
  const big = factors.filter((factor) => sizeOf(factor.shape) === sizeOf(x.shape)).sort((p, q) => p.id - q.id);
  const small = factors.filter((factor) => sizeOf(factor.shape) < sizeOf(x.shape));
  if (big.length === 0 || small.length === 0) return undefined;
  const free = axes.filter((axis) => small.every((factor) => constantAlong(factor, axis, x.shape.length)));
  if (free.length === 0) return undefined;
  const product = big.map((factor) => reshape(g, factor, x.shape)).reduce((p, q) => binary(g, 'Mul', p, q));
  const scaled = small.reduce((sum, factor) => binary(g, 'Mul', sum, factor), sumKeep(g, product, free));
  return sumKeep(
    g,
    scaled,
    axes.filter((axis) => !free.includes(axis)),
  );
}

const withoutAxes = (shape: Shape, axes: readonly number[]): number[] => shape.filter((_, i) => !axes.includes(i));

function keep(g: Builder, op: Reduce, x: Node, axes: readonly number[]): Node {
  if (op === 'Sum') return sumKeep(g, x, axes);
  const long = g.simplify ? axes.filter((axis) => x.shape[axis] !== 1) : axes;
  if (long.length === 0) return x;
  const shape = x.shape.map((length, i) => (long.includes(i) ? 1 : length));
  const inner = x.inputs[0];
  // the maximum of repeated elements is the element
  if (g.simplify && x.op === 'Broadcast' && inner && op !== 'Prod') {
    const padded = padRank(inner.shape, x.shape.length);
    return broadcast(
      g,
      keep(
        g,
        op,
        reshape(g, inner, padded),
        long.filter((axis) => padded[axis] !== 1),
      ),
      shape,
    );
  }
  return g.emit(op, [x], { axes: long }, shape, x.dtype);
}

const NEUTRAL: Readonly<Record<Reduce, number>> = { Sum: 0, Prod: 1, Max: Number.NEGATIVE_INFINITY, Min: Number.POSITIVE_INFINITY };

/** Sum, maximum, minimum or product over `axes`; `keepDims` leaves them with length 1. */
export function reduce(g: Builder, op: Reduce, x: Node, over: readonly number[], keepDims: boolean): Node {
  const axes = normalizeAxes(over, x.shape.length);
  const kept = x.shape.includes(0)
    ? broadcast(
        g,
        scalar(g, NEUTRAL[op], x.dtype),
        x.shape.map((length, i) => (axes.includes(i) ? 1 : length)),
      )
    : keep(g, op, x, axes);
  return keepDims ? kept : reshape(g, kept, withoutAxes(x.shape, axes));
}

/** Mean over `axes` = sum · 1/n. */
export function mean(g: Builder, x: Node, over: readonly number[], keepDims: boolean): Node {
  const axes = normalizeAxes(over, x.shape.length);
  // mean(big + s) = mean(big) + s
  const term = g.simplify ? splitTerm(x, axes) : undefined;
  if (term) {
    const joined = joinTerm(g, x, term.first, mean(g, term.big, axes, true), term.small);
    return keepDims ? joined : reshape(g, joined, withoutAxes(x.shape, axes));
  }
  return binary(g, 'Mul', reduce(g, 'Sum', x, axes, keepDims), scalar(g, 1 / lengthOver(x.shape, axes)));
}
