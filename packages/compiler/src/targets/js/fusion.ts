import { type Affine, printAffine } from './affine.js';
import { LOOP_WEIGHT } from './context.js';
import { type Expression, expressions } from './expression.js';
import type { Call, Loop, LoopProgram, Place, Root, Storage } from './program.js';

/** A value that a loop stores: what follows in the same loop need not read it back. */
type Stored = { readonly loop: Loop; readonly value: Expression };
/** Whether a stored value is used itself instead of being read. */
type Inline = (stored: Stored) => boolean;

const placeKey = (storage: Storage, index: Affine): string => `${storage.id}@${printAffine(index)}`;
const levelOf = (root: Root): number => Math.max(root.value.level, root.kind === 'total' ? 0 : (root.place.dynamic?.row.level ?? 0));

/** Computes `make` for an expression after its operands, once each; a stack, since chains are deeper than the call stack allows. */
function bottomUp(e: Expression, find: (e: Expression) => Expression | undefined, make: (e: Expression) => void): Expression {
  const stack = [e];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const missing = find(top) ? [] : top.args.filter((arg) => !find(arg));
    stack.push(...missing);
    if (missing.length > 0) continue;
    stack.pop();
    if (!find(top)) make(top);
  }
  return find(e) ?? e;
}

/**
 * The same program in fewer passes: what reads the values of a loop at the places where they are stored joins that loop, if
 * everything else it needs is there by then. Arrays that nothing reads any more are not written.
 *
 * Levels say what has to wait for what, so everything is made anew, in order.
 */
export function fusedProgram(program: LoopProgram): LoopProgram {
  const x = expressions();
  const written = new Set(program.items.flatMap((each) => (each.kind === 'call' ? [each.output] : each.roots.flatMap(targetsOf))));
  const renewed = new Map(program.storages.map((old) => [old, { ...old, level: written.has(old) ? 0 : old.level }] as const));
  const storageOf = (old: Storage): Storage => renewed.get(old) ?? old;
  const stored = new Map<string, Stored>();
  const totals = new Map<string, number>();
  const scalars = new Map<Expression, Expression>();
  const open = new Map<string, Loop>();
  const items: (Loop | Call)[] = [];

  /** Rewrites values for loops like `nest`. */
  const rewriter = (nest: Loop | undefined, inline: Inline): ((e: Expression) => Expression) => {
    const own = new Map<Expression, Expression>();
    const known = (e: Expression) => (e.depth === 0 ? scalars : own);
    const find = (e: Expression) => known(e).get(e);
    const build = ({ op, args: before, load, text }: Expression): Expression => {
      const args = before.map((arg) => find(arg) ?? arg);
      if (op === 'number') return x.number(Number(text));
      if (op === 'total') return x.total(text, totals.get(text) ?? 0);
      if (op !== 'load') return x.apply(op, args);
      if (!load) throw new Error('a load without storage');
      const source = args.length === 0 && nest?.inner === 0 ? stored.get(placeKey(load.storage, load.index)) : undefined;
      if (source && `${source.loop.extents}` === `${nest?.extents}` && inline(source)) return source.value;
      return x.load(storageOf(load.storage), load.index, args[0], load.scale);
    };
    return (e) => bottomUp(e, find, (each) => void known(each).set(each, build(each)));
  };
  const rewritten = (root: Root, rewrite: (e: Expression) => Expression): Root => {
    const value = rewrite(root.value);
    if (root.kind === 'total') return { ...root, value };
    const { storage, index, dynamic } = root.place;
    const place: Place = {
      storage: storageOf(storage),
      index,
      ...(dynamic ? { dynamic: { ...dynamic, row: rewrite(dynamic.row) } } : {}),
    };
    return { ...root, place, value };
  };
  const outside = rewriter(undefined, () => false);

  const spilled = new Set<Storage>();
  const spill = (level: number) => {
    for (const old of program.storages) {
      if (!old.spill || old.level > level || spilled.has(old)) continue;
      spilled.add(old);
      const values = old.spill.map(outside);
      Object.assign(storageOf(old), { spill: values, level: Math.max(0, ...values.map((value) => value.level)) });
    }
  };

  const keyOf = (level: number, { extents, inner }: Loop) => `${level}|${extents}|${inner}`;
  const put = (root: Root, level: number, weight: number, nest: Loop): void => {
    let loop = open.get(keyOf(level, nest));
    if (!loop || loop.weight + weight > LOOP_WEIGHT) {
      loop = { ...nest, level, roots: [], weight: 0 };
      open.set(keyOf(level, nest), loop);
      items.push(loop);
    }
    loop.roots.push(root);
    loop.weight += weight;
    if (root.kind === 'total') totals.set(root.name, level + 1);
    else root.place.storage.level = Math.max(root.place.storage.level, level + 1);
    if (root.kind === 'store' && !root.place.dynamic && !root.place.storage.apart)
      stored.set(placeKey(root.place.storage, root.place.index), { loop, value: root.value });
  };
  const fuse = (nest: Loop): void => {
    const weight = nest.weight / nest.roots.length;
    const plain = rewriter(nest, () => false);
    const eager = rewriter(nest, () => true);
    const within = new Map<Loop, (e: Expression) => Expression>();
    for (const root of nest.roots) {
      const apart = rewritten(root, plain);
      const earliest = levelOf(rewritten(root, eager));
      const target = open.get(keyOf(earliest, nest));
      if (earliest < levelOf(apart) && target && target.weight + weight <= LOOP_WEIGHT) {
        const rewrite = within.get(target) ?? rewriter(nest, ({ loop }) => loop === target);
        within.set(target, rewrite);
        const joined = rewritten(root, rewrite);
        // Values of earlier loops are read: computing them again would cost more.
        if (levelOf(joined) === earliest) {
          put(joined, earliest, weight, nest);
          continue;
        }
      }
      put(apart, levelOf(apart), weight, nest);
    }
  };

  for (const each of program.items) {
    spill(each.level);
    if (each.kind === 'loop') {
      fuse(each);
      continue;
    }
    const [inputs, output] = [each.inputs.map(storageOf), storageOf(each.output)];
    const level = Math.max(0, ...inputs.map((storage) => storage.level));
    output.level = level + 1;
    items.push({ ...each, level, inputs, output });
  }
  spill(Number.POSITIVE_INFINITY);
  const outputs = program.outputs.map(({ size, scalars: values, copy }) => ({
    size,
    ...(values ? { scalars: values.map(outside) } : {}),
    ...(copy ? { copy: storageOf(copy) } : {}),
  }));
  const ordered = items.sort((a, b) => a.level - b.level);
  const storages = program.storages.map(storageOf);
  return { ...program, storages, outputs, items: withoutUnread({ ...program, storages, outputs, items: ordered }) };
}

const targetsOf = (root: Root): Storage[] => (root.kind === 'total' ? [] : [root.place.storage]);

/** Items without what only writes to temporaries that nothing reads. */
function withoutUnread({ items, storages, outputs }: LoopProgram): (Loop | Call)[] {
  const read = new Set<Storage>(outputs.flatMap(({ copy }) => (copy ? [copy] : [])));
  const seen = new Set<Expression>();
  const visit = (values: readonly Expression[]): void => {
    const stack = [...values];
    for (let e = stack.pop(); e !== undefined; e = stack.pop()) {
      if (seen.has(e)) continue;
      seen.add(e);
      if (e.load) read.add(e.load.storage);
      stack.push(...e.args);
    }
  };
  visit(outputs.flatMap(({ scalars }) => scalars ?? []));
  visit(storages.flatMap(({ spill }) => spill ?? []));
  const kept: (Loop | Call)[] = [];
  // Readers come after writers, so that one walk from the end sees all readers first.
  for (const each of [...items].reverse()) {
    if (each.kind === 'call') {
      for (const storage of each.inputs) read.add(storage);
      kept.push(each);
      continue;
    }
    const roots = each.roots.filter(
      (root) => root.kind === 'total' || root.place.storage.kind === 'output' || read.has(root.place.storage),
    );
    for (const root of roots) visit([root.value, ...(root.kind !== 'total' && root.place.dynamic ? [root.place.dynamic.row] : [])]);
    if (roots.length > 0) kept.push({ ...each, roots });
  }
  return kept.reverse();
}
