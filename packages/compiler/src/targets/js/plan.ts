import { topologicalOrder } from '../../ir/builder.js';
import type { Graph, Node } from '../../ir/index.js';
import { item, sizeOf } from '../../ir/shape.js';
import { isBinary, isCompare, isUnary } from './expression.js';

/** Limits of the lowering, found by measuring; see the package's README. */
export const LIMITS = {
  /** Tensors up to this size become scalars. */
  small: 24,
  /** Sums over at most this many terms are written out. */
  unroll: 32,
  /** Operations inlined into one element before a value is stored instead. */
  chain: 150,
  /** Operations worth storing when two loops need them. */
  shared: 10,
  /** Operations worth storing when an element is needed repeatedly in one loop. */
  repeated: 4,
  /** Operations on either side of a slow function that are worth a loop of their own, and elements from which on they are. */
  apart: 16,
  long: 64,
  /** Statements for all elements of a small reduction, above which it goes through memory. */
  unrolledReduction: 256,
} as const;

const CALLS = [
  'Conv',
  'ConvInputGrad',
  'ConvFilterGrad',
  'AvgPool',
  'AvgPoolGrad',
  'MaxPool',
  'MaxPoolGrad',
  'MaxPoolGather',
  'CumSum',
  'ArgMax',
  'Scan',
  'TopK',
  'Cholesky',
  'TriangularSolve',
];
const SLOW = [
  'Exp',
  'Expm1',
  'Log',
  'Log1p',
  'Sigmoid',
  'Softplus',
  'Tanh',
  'Sin',
  'Cos',
  'Tan',
  'Asin',
  'Acos',
  'Atan',
  'Atan2',
  'Sinh',
  'Cosh',
  'Asinh',
  'Acosh',
  'Atanh',
  'Erf',
  'Pow',
  'Sqrt',
];
const REDUCTIONS = ['Sum', 'Max', 'Min', 'Prod'];

export const isSmall = (node: Node): boolean => sizeOf(node.shape) <= LIMITS.small;
export const isReduction = (node: Node): boolean => REDUCTIONS.includes(node.op);

/** Number of terms of a reduction or matrix product. */
export function termsOf(node: Node): number {
  const x = item(node.inputs, 0);
  if (node.op === 'MatMul') return item(x.shape, x.shape.length - (node.attributes.transposeA ? 2 : 1));
  return 'axes' in node.attributes ? node.attributes.axes.reduce((p, axis) => p * item(x.shape, axis), 1) : 1;
}

const longAxes = (node: Node): number[] => node.shape.filter((length) => length !== 1);

/** A reshape that only adds or drops axes of length 1. */
export function keepsAxes(node: Node): boolean {
  const from = longAxes(item(node.inputs, 0));
  const to = longAxes(node);
  return from.length === to.length && from.every((length, i) => length === to[i]);
}

/** How every value of a graph is kept. */
export interface Plan {
  readonly order: readonly Node[];
  /** In memory, written by a loop or a kernel. The others are inlined where they are used, or are scalars. */
  isStored(node: Node): boolean;
  /** Stored so that what reads it is a loop of its own. */
  isApart(node: Node): boolean;
  /** Computed by a hand-written kernel. */
  isCall(node: Node): boolean;
  /** A reduction or product written out where it is used. */
  isUnrolled(node: Node): boolean;
  /** Operations for one element where the node is used. */
  cost(node: Node): number;
}

/** A large product is a kernel; products with a vector, and those of few terms, are loops that fuse with their users. */
function isBigProduct(node: Node): boolean {
  if (node.op !== 'MatMul' || isSmall(node)) return false;
  const vector = item(node.shape, node.shape.length - 1) === 1 || item(node.shape, node.shape.length - 2) === 1;
  return !vector && (termsOf(node) > LIMITS.unroll || sizeOf(node.shape) * termsOf(node) > 4096);
}

export function planStorage(graph: Graph): Plan {
  const order = topologicalOrder(graph.outputs);
  const stored = new Set<Node>();
  const costs = new Map<Node, number>();
  const levels = new Map<Node, number>();
  const isCall = (node: Node) => CALLS.includes(node.op) || isBigProduct(node);
  const cost = (node: Node) => costs.get(node) ?? 1;
  const level = (node: Node) => levels.get(node) ?? 0;
  const isUnrolled = (node: Node) =>
    (isReduction(node) || node.op === 'MatMul') &&
    !isCall(node) &&
    termsOf(node) <= LIMITS.unroll &&
    node.inputs.reduce((sum, x) => sum + cost(x), 0) * termsOf(node) <= LIMITS.chain;
  /** A small reduction that is too much code as scalars. */
  const throughMemory = (node: Node) =>
    node.op === 'ScatterAdd' ||
    (isReduction(node) && isSmall(node) && !isUnrolled(node) && sizeOf(node.shape) * cost(item(node.inputs, 0)) > LIMITS.unrolledReduction);

  const inlineCost = (node: Node): number => {
    const operands = node.inputs.reduce((sum, x) => sum + cost(x), 0);
    if (isUnrolled(node)) return termsOf(node) * (1 + operands);
    if (node.op === 'Gather') return 2 + cost(item(node.inputs, 1));
    if (isUnary(node.op) || isBinary(node.op) || isCompare(node.op) || node.op === 'Select')
      return operands + (SLOW.includes(node.op) ? 8 : 1);
    return operands;
  };
  /** Must be in memory whatever its cost. */
  const required = new Set<Node>();
  for (const node of order) {
    const [x] = node.inputs;
    if (isCall(node) || throughMemory(node)) required.add(node);
    if (isCall(node)) for (const operand of node.inputs) required.add(operand);
    if (x && ((node.op === 'Reshape' && !keepsAxes(node)) || node.op === 'Gather')) required.add(x);
  }
  for (const node of graph.outputs) required.add(node);
  const isLeaf = (node: Node) => node.op === 'Input' || node.op === 'Const';
  const writes = (node: Node) =>
    node.op === 'Concat' ||
    node.op === 'Pad' ||
    node.op === 'ScatterAdd' ||
    ((isReduction(node) || node.op === 'MatMul') && !isUnrolled(node));
  const measure = () => {
    for (const node of order) {
      const below = node.inputs.reduce((most, x) => Math.max(most, level(x)), 0);
      if (isLeaf(node)) continue;
      if (isCall(node) || throughMemory(node)) stored.add(node);
      else if (!isSmall(node) && (required.has(node) || writes(node))) stored.add(node);
      const inlined = inlineCost(node);
      if (!isSmall(node) && inlined > LIMITS.chain) stored.add(node);
      const reduces = (isReduction(node) || node.op === 'MatMul') && !isUnrolled(node);
      levels.set(node, below + (stored.has(node) || reduces ? 1 : 0));
      costs.set(node, stored.has(node) || isSmall(node) ? 1 : inlined);
    }
  };
  measure();
  const apart = storeApart(order, stored, isUnrolled, cost);
  measure();
  storeShared(order, stored, isUnrolled, cost, level);
  measure();
  return { order, isStored: (node) => stored.has(node), isApart: (node) => apart.has(node), isCall, isUnrolled, cost };
}

/**
 * Stores what goes into a slow function if it is long but simple to compute, and what comes out if many sums need it.
 *
 * A slow function is a chain of dependent operations. A processor hides its latency by working on several elements at a time,
 * of which fewer fit into its window the more there is around the function: a logistic regression of ten columns takes 11 to
 * 20 % less time in three loops than in one, whatever its length.
 */
function storeApart(
  order: readonly Node[],
  stored: Set<Node>,
  isUnrolled: (node: Node) => boolean,
  cost: (node: Node) => number,
): ReadonlySet<Node> {
  const apart = new Set<Node>();
  const slow = new Set<Node>();
  const store = (node: Node): void => {
    if (stored.has(node) || node.inputs.length === 0 || sizeOf(node.shape) < LIMITS.long) return;
    stored.add(node);
    apart.add(node);
  };
  for (const node of order) {
    const isSlow = SLOW.includes(node.op);
    const sums = node.op === 'MatMul' && isSmall(node) && !isUnrolled(node) ? sizeOf(node.shape) : 0;
    for (const operand of node.inputs) {
      if (isSlow && !slow.has(operand) && cost(operand) >= LIMITS.apart) store(operand);
      // A sum is a multiplication and an addition.
      if (2 * sums >= LIMITS.apart && slow.has(operand)) store(operand);
    }
    if (isSlow || (!stored.has(node) && node.inputs.some((operand) => slow.has(operand)))) slow.add(node);
  }
  return apart;
}

/** Extents of the loop that computes a node. */
function loopShape(node: Node, reduces: boolean): number[] {
  const x = node.inputs[0];
  if (!reduces || !x) return longAxes(node);
  if (node.op === 'MatMul') return isSmall(node) ? [termsOf(node)] : [...longAxes(node), termsOf(node)];
  // Every element of a small result is a scalar of its own: the loop runs over the reduced axes only.
  const axes = 'axes' in node.attributes ? node.attributes.axes : [];
  return x.shape.filter((length, axis) => length !== 1 && (!isSmall(node) || axes.includes(axis)));
}

/**
 * Stores what would be computed more than once: values that two loops need, and values that one loop needs repeatedly.
 * From the outputs backwards, so that the last shared value of a chain is stored and not each of its parts.
 */
function storeShared(
  order: readonly Node[],
  stored: Set<Node>,
  isUnrolled: (node: Node) => boolean,
  cost: (node: Node) => number,
  level: (node: Node) => number,
): void {
  const contexts = new Map<Node, Set<string>>();
  const repeated = new Set<Node>();
  for (const node of [...order].reverse()) {
    const own = contexts.get(node) ?? new Set<string>();
    const inlined = !isSmall(node) && !stored.has(node) && node.inputs.length > 0;
    if (inlined && cost(node) >= LIMITS.shared && own.size > 1) stored.add(node);
    if (inlined && cost(node) >= LIMITS.repeated && repeated.has(node)) stored.add(node);
    const reduces = (isReduction(node) || node.op === 'MatMul') && !isUnrolled(node);
    // The loop that this node is the result of, if it is one.
    const here = `${level(node) - (stored.has(node) || reduces ? 1 : 0)}|${loopShape(node, reduces)}`;
    const passed = stored.has(node) || reduces ? new Set([here]) : isSmall(node) ? new Set([`scalars ${level(node)}`]) : own;
    for (const operand of node.inputs) {
      const seen = contexts.get(operand) ?? new Set<string>();
      for (const context of passed) seen.add(context);
      contexts.set(operand, seen);
      const again =
        node.op === 'MatMul'
          ? item(node.shape, node.shape.length - 1) > 1 && item(node.shape, node.shape.length - 2) > 1
          : !isReduction(node) && node.op !== 'Slice' && sizeOf(node.shape) > sizeOf(operand.shape);
      if (again && !isSmall(node)) repeated.add(operand);
    }
  }
}
