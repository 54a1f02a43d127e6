import { item } from '../../../ir/shape.js';
import type { Expression } from '../expression.js';
import { chunkKernels } from './chunk-kernels.js';
import { baseAddress } from './lanes.js';
import { append, type Code, code, type Machine } from './machine.js';

/** Code that computes scalars: those of the whole program, and those of the loops around the lanes of one nest. */
export interface Scalars {
  /** The register of a value, after appending to the code of its depth whatever it needs. */
  compute(value: Expression): number;
  /** The register of a running total. */
  total(name: string): number;
  /** A register of nothing else. */
  register(): number;
  /** Code of the whole program since the last time; the next call starts empty. */
  flush(): Code;
  /** Begins a nest with `depth` loops around its lanes; their code is in the result, from the outermost. */
  enter(depth: number): readonly Code[];
  readonly count: number;
  /** Registers that hold literals, which no code writes. */
  readonly literals: readonly (readonly [register: number, value: number])[];
}

type Scope = { code: Code; readonly registers: Map<number, number> };

const scope = (): Scope => ({ code: code(), registers: new Map() });

export function scalarCode(machine: Machine): Scalars {
  const top = scope();
  let scopes: Scope[] = [top];
  let count = 0;
  const totals = new Map<string, number>();
  const literals: (readonly [number, number])[] = [];
  const at = (depth: number): Scope => item(scopes, depth);
  const total = (name: string): number => {
    const register = totals.get(name) ?? count++;
    totals.set(name, register);
    return register;
  };
  const known = (e: Expression): number | undefined => (e.op === 'total' ? total(e.text) : at(e.depth).registers.get(e.id));
  const define = (e: Expression): void => {
    const { code: own, registers } = at(e.depth);
    const register = count++;
    registers.set(e.id, register);
    if (e.op === 'number') literals.push([register, Number(e.text)]);
    else if (e.load) appendLoad(own, e.load, register, e.args[0] && known(e.args[0]));
    else if (e.op !== 'total' && e.op !== 'load') {
      const [a, b, c] = e.args.map(known);
      append(own, chunkKernels[e.op], register, a, b, c);
    }
  };
  const appendLoad = (own: Code, { storage, index, scale }: NonNullable<Expression['load']>, register: number, row?: number): void => {
    const { memory } = machine;
    const address = baseAddress(machine, index, Number.POSITIVE_INFINITY);
    if (row !== undefined) {
      append(
        own,
        (r, _n, d, a) => {
          r[d] = memory[storage.id]?.[(r[a] as number) * scale + address()] ?? Number.NaN;
        },
        register,
        row,
      );
    } else if (index.terms.length === 0) append(own, loadAt, register, storage.id, index.constant);
    else {
      append(
        own,
        (r, _n, d) => {
          r[d] = memory[storage.id]?.[address()] ?? Number.NaN;
        },
        register,
      );
    }
  };
  const loadAt = (r: Float64Array, _n: number, d: number, storage: number, position: number) => {
    r[d] = (machine.memory[storage] as Float64Array)[position] as number;
  };
  return {
    total,
    register: () => count++,
    compute(value) {
      // Chains are deeper than the call stack allows.
      const stack = [value];
      for (let e = stack.at(-1); e !== undefined; e = stack.at(-1)) {
        const missing = known(e) === undefined ? e.args.filter((operand) => known(operand) === undefined) : [];
        stack.push(...missing.reverse());
        if (missing.length > 0) continue;
        stack.pop();
        if (known(e) === undefined) define(e);
      }
      return known(value) ?? Number.NaN;
    },
    flush() {
      const { code: done } = top;
      top.code = code();
      return done;
    },
    enter(depth) {
      const own = Array.from({ length: depth }, scope);
      scopes = [top, ...own];
      return own.map((each) => each.code);
    },
    get count() {
      return count;
    },
    literals,
  };
}
