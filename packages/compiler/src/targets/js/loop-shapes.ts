import { item } from '../../ir/shape.js';
import { type Affine, addScaled, coefficientOf, known, loopVariable } from './affine.js';
import { LOOP_WEIGHT } from './context.js';
import type { Expression, Expressions } from './expression.js';
import type { Call, Loop, Place, Root } from './program.js';

/** Innermost loops up to this many turns are written out if that makes one of at least `LONG` turns the innermost. */
const SHORT = 4;
const LONG = 32;
/** Statements that a body written out may have. */
const UNROLLED_WEIGHT = 120;

/** A loop variable's replacement in indices. */
type Substitution = (index: Affine) => Affine;

/** `e` with all indices replaced. */
function substituted(x: Expressions, e: Expression, replace: Substitution, done: Map<Expression, Expression>): Expression {
  const find = (each: Expression) => (each.depth === 0 ? each : done.get(each));
  // A stack, since chains are deeper than the call stack allows.
  const stack = [e];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const missing = find(top) ? [] : top.args.filter((arg) => !find(arg));
    if (missing.length > 0) {
      stack.push(...missing);
      continue;
    }
    stack.pop();
    if (find(top)) continue;
    const args = top.args.map((arg) => find(arg) ?? arg);
    const { op, load } = top;
    if (load) done.set(top, x.load(load.storage, replace(load.index), args[0], load.scale));
    else if (op !== 'number' && op !== 'total' && op !== 'load') done.set(top, x.apply(op, args));
  }
  return find(e) ?? e;
}

/** The root with all indices replaced; `named` gives its scalar another name. */
function rewritten(x: Expressions, root: Root, replace: Substitution, done: Map<Expression, Expression>): Root {
  const value = substituted(x, root.value, replace, done);
  if (root.kind === 'total') return { ...root, value };
  const { storage, index, dynamic } = root.place;
  const place: Place = {
    storage,
    index: replace(index),
    ...(dynamic ? { dynamic: { ...dynamic, row: substituted(x, dynamic.row, replace, done) } } : {}),
  };
  return { ...root, place, value };
}

/** All indices that a loop reads and writes at. */
function indicesOf({ roots }: Loop): Affine[] {
  const indices: Affine[] = roots.flatMap((root) => (root.kind === 'total' ? [] : [root.place.index]));
  const stack = roots.flatMap((root) => [root.value, ...(root.kind !== 'total' && root.place.dynamic ? [root.place.dynamic.row] : [])]);
  const seen = new Set<Expression>();
  for (let e = stack.pop(); e !== undefined; e = stack.pop()) {
    if (e.depth === 0 || seen.has(e)) continue;
    seen.add(e);
    if (e.load) indices.push(e.load.index);
    stack.push(...e.args);
  }
  return indices;
}

/** Variables d and d + 1 as one, where every index moves on by one row of d + 1 as d does by one. */
function merge(x: Expressions, loop: Loop, d: number): Loop {
  const replace: Substitution = ({ constant, terms }) => ({
    constant,
    terms: terms.flatMap(([v, c]) => (v === d ? [] : [[v > d ? v - 1 : v, c] as const])),
  });
  const extents = [...loop.extents.slice(0, d), item(loop.extents, d) * item(loop.extents, d + 1), ...loop.extents.slice(d + 2)];
  const inner = d >= loop.extents.length - loop.inner ? loop.inner - 1 : loop.inner;
  const done = new Map<Expression, Expression>();
  return { ...loop, extents, inner, roots: loop.roots.map((root) => rewritten(x, root, replace, done)) };
}

/** Contiguous axes as one loop: long innermost loops are what lanes and processors want. */
function collapsed(x: Expressions, given: Loop): Loop {
  let loop = given;
  for (let d = loop.extents.length - 2; d >= 0; d--) {
    // Results of inner loops are stored between those and the outer ones.
    if (loop.inner > 0 && d === loop.extents.length - loop.inner - 1) continue;
    const length = item(loop.extents, d + 1);
    if (indicesOf(loop).every((index) => coefficientOf(index, d) === coefficientOf(index, d + 1) * length)) loop = merge(x, loop, d);
  }
  return loop;
}

/** A short innermost loop written out, so that a longer one becomes the innermost. */
function unrolled(x: Expressions, loop: Loop): Loop {
  const { extents, inner, weight, roots } = loop;
  const last = extents.length - 1;
  const length = extents[last] ?? 0;
  const around = extents[last - 1] ?? 0;
  const reduces = roots.some((root) => root.kind === 'inner' || root.kind === 'total');
  if (inner > 0 || reduces || length < 1 || length > SHORT || around < LONG || weight * length > UNROLLED_WEIGHT) return loop;
  const copies = Array.from({ length }, (_, j) => {
    const done = new Map<Expression, Expression>();
    const replace: Substitution = (index) => {
      const coefficient = coefficientOf(index, last);
      return addScaled(addScaled(index, known(coefficient * j)), loopVariable(last), -coefficient);
    };
    return roots.map((root) => rewritten(x, root, replace, done));
  });
  return { ...loop, extents: extents.slice(0, last), roots: copies.flat(), weight: weight * length };
}

/** Items with better loops: contiguous axes merged, short innermost loops written out, and what then is alike fused. */
export function shapedLoops(x: Expressions, items: readonly (Loop | Call)[]): (Loop | Call)[] {
  const open = new Map<string, Loop>();
  return items.flatMap((each): (Loop | Call)[] => {
    if (each.kind === 'call') return [each];
    const loop = unrolled(x, collapsed(x, each));
    const key = `${loop.level}|${loop.extents}|${loop.inner}`;
    const same = open.get(key);
    if (same && same.weight + loop.weight <= LOOP_WEIGHT) {
      same.roots.push(...loop.roots);
      same.weight += loop.weight;
      return [];
    }
    const own = { ...loop, roots: [...loop.roots] };
    open.set(key, own);
    return [own];
  });
}
