import { item } from '../../../ir/shape.js';
import type { Affine } from '../affine.js';
import type { Expression } from '../expression.js';
import { type Loop, NEUTRAL, type Place, type Root } from '../program.js';
import { chunkKernels } from './chunk-kernels.js';
import { baseAddress, laneOffset, lanesOf, offsetFiller, strideOf } from './lanes.js';
import { append, CHUNK, code, execute, type Machine } from './machine.js';
import { accumulateLanes, foldLanes, logSum } from './reductions.js';
import type { Scalars } from './scalars.js';

/** A loop nest that is ready to run, and how much of `machine.lanes` it takes. */
export type CompiledLoop = { readonly run: () => void; readonly lanes: number };

/** One nest: loops around lanes, scalars between those loops, and chunk by chunk everything else. */
export function compileLoop(loop: Loop, machine: Machine, scalars: Scalars): CompiledLoop {
  const lanes = lanesOf(loop);
  const { first, size } = lanes;
  const around = scalars.enter(first);
  /** Scalars spread over a chunk, by the depth at which they change. */
  const spread = Array.from({ length: first + 1 }, code);
  const body = code();
  const before: (() => void)[] = [];
  const after: (() => void)[] = [];
  const prepare: ((start: number, n: number) => void)[] = [];
  const registers = new Map<number, number>();
  const offsetsOf = new Map<string, Int32Array>();
  let used = 0;
  const register = (e: Expression): number => {
    const own = used;
    used += CHUNK;
    registers.set(e.id, own);
    return own;
  };

  /** What every lane of the chunk adds to an address: filled before each chunk, shared by all that use the pattern. */
  const offsets = (index: Affine): Int32Array => {
    const terms = index.terms.filter(([variable]) => variable >= first);
    const known = offsetsOf.get(String(terms));
    if (known) return known;
    const own = new Int32Array(CHUNK);
    offsetsOf.set(String(terms), own);
    prepare.push(offsetFiller(index, lanes, own));
    return own;
  };

  const define = (e: Expression): void => {
    const operands = e.args.map((operand) => registers.get(operand.id));
    if (e.depth <= first) {
      const from = scalars.compute(e);
      append(
        item(spread, e.depth),
        (r, _n, d) => {
          r.fill(machine.scalars[from] as number, d, d + CHUNK);
        },
        register(e),
      );
    } else if (e.load) {
      defineLoad(e, e.load, operands[0]);
    } else if (e.op !== 'number' && e.op !== 'total' && e.op !== 'load') {
      append(body, chunkKernels[e.op], register(e), ...operands.map(Number));
    }
  };

  const defineLoad = (e: Expression, { storage, index, scale }: NonNullable<Expression['load']>, row?: number): void => {
    const base = baseAddress(machine, index, first);
    const stride = strideOf(index, lanes);
    const array = () => machine.memory[storage.id] as Float64Array;
    if (row === undefined && stride !== undefined) {
      append(
        body,
        (r, n, d) => {
          const x = array();
          for (let i = 0, at = base() + stride * machine.start; i < n; i++, at += stride) r[d + i] = x[at] as number;
        },
        register(e),
      );
      return;
    }
    const own = offsets(index);
    append(
      body,
      row === undefined
        ? (r, n, d) => {
            const [x, start] = [array(), base()];
            for (let i = 0; i < n; i++) r[d + i] = x[start + (own[i] as number)] as number;
          }
        : (r, n, d, a) => {
            const [x, start] = [array(), base()];
            for (let i = 0; i < n; i++) r[d + i] = x[(r[a + i] as number) * scale + start + (own[i] as number)] as number;
          },
      register(e),
      row,
    );
  };

  /** The lanes of a value, after appending whatever it needs. A stack, since chains are deeper than the call stack allows. */
  const compute = (value: Expression): number => {
    const stack = [value];
    for (let e = stack.at(-1); e !== undefined; e = stack.at(-1)) {
      const missing = e.depth > first && !registers.has(e.id) ? e.args.filter((operand) => !registers.has(operand.id)) : [];
      stack.push(...missing.reverse());
      if (missing.length > 0) continue;
      stack.pop();
      if (!registers.has(e.id)) define(e);
    }
    return registers.get(value.id) ?? Number.NaN;
  };

  /** Addresses of the lanes of a place; −1 where a computed row is out of range. */
  const addressesOf = ({ index, dynamic }: Place): ((r: Float64Array, n: number) => Int32Array) => {
    const [own, base, addresses] = [offsets(index), baseAddress(machine, index, first), new Int32Array(CHUNK)];
    const row = dynamic && compute(dynamic.row);
    return (r, n) => {
      const start = base();
      for (let i = 0; i < n; i++) {
        const at = start + (own[i] as number);
        const chosen = row === undefined ? 0 : (r[row + i] as number);
        addresses[i] = dynamic ? (chosen >= 0 && chosen < dynamic.count ? at + chosen * dynamic.scale : -1) : at;
      }
      return addresses;
    };
  };

  const compileRoot = (root: Root): void => {
    const value = compute(root.value);
    switch (root.kind) {
      case 'total': {
        const own = scalars.total(root.name);
        before.push(() => {
          machine.scalars[own] = NEUTRAL[root.reduce];
        });
        if (root.reduce === 'SumLog1p') {
          const { clear, fold, finish } = logSum(machine, own, scalars.register());
          before.push(clear);
          append(body, fold, value);
          after.push(finish);
          return;
        }
        const fold = foldLanes[root.reduce];
        append(body, (r, n, d) => fold(r, d, d + n, machine.scalars, own), value);
        return;
      }
      case 'store':
        storeLanes(root.place, value);
        return;
      case 'inner':
        storeSegments(root, value);
        return;
      case 'accumulate': {
        const addresses = addressesOf(root.place);
        const { id } = root.place.storage;
        const accumulate = accumulateLanes[root.reduce];
        before.push(() => {
          machine.memory[id]?.fill(NEUTRAL[root.reduce]);
        });
        append(body, (r, n, d) => accumulate(machine.memory[id] as Float64Array, addresses(r, n), r, d, n), value);
      }
    }
  };

  const storeLanes = (place: Place, value: number): void => {
    const stride = place.dynamic ? undefined : strideOf(place.index, lanes);
    const base = baseAddress(machine, place.index, first);
    const array = () => machine.memory[place.storage.id] as Float64Array;
    if (stride !== undefined) {
      append(
        body,
        (r, n, d) => {
          const x = array();
          for (let i = 0, at = base() + stride * machine.start; i < n; i++, at += stride) x[at] = r[d + i] as number;
        },
        value,
      );
      return;
    }
    const addresses = addressesOf(place);
    append(
      body,
      (r, n, d) => {
        const [x, to] = [array(), addresses(r, n)];
        for (let i = 0; i < n; i++) x[to[i] as number] = r[d + i] as number;
      },
      value,
    );
  };

  /** Reduces runs of lanes, each to one element; a run may go on in the next chunk. */
  const storeSegments = ({ reduce, place }: Extract<Root, { kind: 'inner' }>, value: number): void => {
    const { index, storage } = place;
    const [own, base, fold] = [scalars.register(), baseAddress(machine, index, first), foldLanes[reduce]];
    append(
      body,
      (r, n, d) => {
        const array = machine.memory[storage.id] as Float64Array;
        const { scalars: values, start } = machine;
        let within = start % lanes.segment;
        for (let lane = 0; lane < n; ) {
          const take = Math.min(lanes.segment - within, n - lane);
          if (within === 0) values[own] = NEUTRAL[reduce];
          fold(r, d + lane, d + lane + take, values, own);
          lane += take;
          within = (within + take) % lanes.segment;
          if (within === 0) array[base() + laneOffset(index, lanes, start + lane - 1)] = values[own] as number;
        }
      },
      value,
    );
  };

  for (const root of loop.roots) compileRoot(root);

  const runLanes = (): void => {
    for (let start = 0; start < size; start += CHUNK) {
      const n = Math.min(CHUNK, size - start);
      machine.start = start;
      for (let k = 0; k < prepare.length; k++) prepare[k]?.(start, n);
      execute(body, machine.lanes, n);
    }
  };
  const run = (depth: number): void => {
    execute(item(spread, depth), machine.lanes, CHUNK);
    if (depth === first) {
      runLanes();
      return;
    }
    const inside = item(around, depth);
    for (let i = 0; i < item(loop.extents, depth); i++) {
      machine.variables[depth] = i;
      execute(inside, machine.scalars, 1);
      run(depth + 1);
    }
  };
  return {
    lanes: used,
    run() {
      for (let k = 0; k < before.length; k++) before[k]?.();
      run(0);
      for (let k = 0; k < after.length; k++) after[k]?.();
    },
  };
}
