import type { Graph, Node, NodeOf } from '../../ir/index.js';
import { sizeOf, unravel } from '../../ir/shape.js';
import { type Affine, flatIndex, isKnown, known } from './affine.js';
import { elementOf } from './element.js';
import { type Expression, type Expressions, expressions } from './expression.js';
import { isReduction, isSmall, type Plan, planStorage } from './plan.js';
import type { Call, Loop, Root, Storage, TotalReduce } from './program.js';
import { totalOf } from './totals.js';

/** A lowering in progress. */
export interface Lowering {
  readonly plan: Plan;
  readonly x: Expressions;
  /** Element of a node at an index, as an expression. */
  element(node: Node, index: readonly Affine[]): Expression;
  /** Element `k` of a small node, as a scalar of the whole program. */
  scalar(node: Node, k: number): Expression;
  /** The storage of a node, spilling its scalars if it has none. */
  inMemory(node: Node): Storage;
  /** New storage for a node. */
  store(node: Node, level: number, fill?: number): Storage;
  /** A scalar that reduces `value` over loops. */
  total(reduce: TotalReduce, value: Expression, extents: readonly number[], weight: number): Expression;
  addRoot(level: number, extents: readonly number[], root: Root, weight: number, inner?: number): void;
  addCall(call: Call): void;
  name(): string;
  readonly storages: readonly Storage[];
  readonly items: readonly (Loop | Call)[];
}

/** Statements in one loop body, beyond which V8 would not optimise the function around it. */
export const LOOP_WEIGHT = 500;

export function lowering(graph: Graph): Lowering {
  const plan = planStorage(graph);
  const x = expressions();
  const storages: Storage[] = [];
  const storageOf = new Map<Node, Storage>();
  const scalars = new Map<Node, (Expression | undefined)[]>();
  const items: (Loop | Call)[] = [];
  const open = new Map<string, Loop>();
  let names = 0;
  const add = (storage: Omit<Storage, 'id'>): Storage => {
    const added = { ...storage, id: storages.length };
    storages.push(added);
    return added;
  };
  for (const node of graph.inputs)
    storageOf.set(node, add({ kind: 'input', size: sizeOf(node.shape), level: 0, position: node.attributes.index }));
  const constantStorage = (node: NodeOf<'Const'>): Storage => {
    const storage = storageOf.get(node) ?? add({ kind: 'constant', size: sizeOf(node.shape), level: 0, values: node.attributes.values });
    storageOf.set(node, storage);
    return storage;
  };
  const lower: Lowering = {
    plan,
    x,
    storages,
    items,
    name: () => `a${names++}`,
    element(node, given) {
      const index = given.map((each, axis) => (node.shape[axis] === 1 ? known(0) : each));
      const flat = flatIndex(node.shape, index);
      if (node.op === 'Const') {
        const value = isKnown(flat) ? node.attributes.values[flat.constant] : undefined;
        return value === undefined ? x.load(constantStorage(node), flat) : x.number(Number(value));
      }
      const storage = storageOf.get(node);
      if (storage && (node.op === 'Input' || plan.isStored(node))) return x.load(storage, flat);
      if (isSmall(node) && isKnown(flat)) return lower.scalar(node, flat.constant);
      // A small sum at a variable position is cheaper read than written out again.
      if (isSmall(node)) return x.load(lower.inMemory(node), flat);
      return elementOf(lower, node, index);
    },
    scalar(node, k) {
      const values = scalars.get(node) ?? [];
      scalars.set(node, values);
      const index = unravel(k, node.shape).map(known);
      const reduced = (isReduction(node) || node.op === 'MatMul') && !plan.isUnrolled(node);
      const value =
        values[k] ??
        (node.op === 'Input' || node.op === 'Const' || plan.isStored(node)
          ? lower.element(node, index)
          : reduced
            ? totalOf(lower, node, index)
            : elementOf(lower, node, index));
      values[k] = value;
      return value;
    },
    inMemory(node) {
      if (node.op === 'Const') return constantStorage(node);
      let storage = storageOf.get(node);
      if (!storage) {
        const values = Array.from({ length: sizeOf(node.shape) }, (_, k) => lower.scalar(node, k));
        storage = add({ kind: 'temporary', size: values.length, level: Math.max(0, ...values.map((value) => value.level)), spill: values });
        storageOf.set(node, storage);
      }
      return storage;
    },
    store(node, level, fill) {
      const position = graph.outputs.indexOf(node);
      // A filled border is written once, which an output that changes from call to call cannot keep.
      const kind = position >= 0 && fill === undefined ? 'output' : 'temporary';
      const storage = add({
        kind,
        size: sizeOf(node.shape),
        level,
        ...(kind === 'output' ? { position } : {}),
        ...(fill === undefined ? {} : { fill }),
        ...(plan.isApart(node) ? { apart: true } : {}),
      });
      storageOf.set(node, storage);
      return storage;
    },
    total(reduce, value, extents, weight) {
      const name = lower.name();
      lower.addRoot(value.level, extents, { kind: 'total', name, reduce, value }, weight);
      return x.total(name, value.level + 1);
    },
    addRoot(level, extents, root, weight, inner = 0) {
      const key = `${level}|${extents}|${inner}`;
      let loop = open.get(key);
      if (!loop || loop.weight + weight > LOOP_WEIGHT) {
        loop = { kind: 'loop', level, extents, inner, roots: [], weight: 0 };
        open.set(key, loop);
        items.push(loop);
      }
      loop.roots.push(root);
      loop.weight += weight;
    },
    addCall: (call) => items.push(call),
  };
  return lower;
}
