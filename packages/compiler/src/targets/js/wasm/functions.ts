import { binaryFunction, unaryFunction } from '../../../ir/scalar-functions.js';
import { isBinary, isUnary } from '../expression.js';
import { block, type Code, encodeFunction, type FunctionReference, get, type Local, put } from './code.js';
import { counted, list, nameBytes, section, unsigned } from './encode.js';
import { type Argument, type VectorMath, vectorMath } from './math.js';
import { F64, scalarOp, V128 } from './opcodes.js';
import { copyOf, lanes, vectors } from './vectors.js';

/** A function of the host that the module calls, with numbers or with nothing. */
export type HostFunction = { readonly name: string; readonly parameters: 0 | 1 | 2; readonly call: (...args: number[]) => unknown };

/** The functions of a module while it is being written. */
export interface Functions {
  /** A function of the host, imported once per name. */
  host(imported: HostFunction): FunctionReference;
  /** An element-wise operation on scalars as a function of the host. */
  hostOperation(op: string): FunctionReference;
  /** exp and its like on one number, by the code that loops use on lanes: both give the same bits. */
  math(op: VectorMath, argument: Argument): FunctionReference;
  /** A function without arguments. */
  define(code: Code): FunctionReference;
  readonly imports: readonly HostFunction[];
  /** The module: `run` is exported, memory `memory` of so many bytes and all host functions are imported. */
  encode(run: FunctionReference, bytes: number): Uint8Array<ArrayBuffer>;
}

const PAGE = 65536;

/** Types of functions are numbered by how many numbers they take; those without arguments return nothing. */
const TYPES = [0, 1, 2].map((parameters) => [
  0x60,
  ...counted(new Array<number>(parameters).fill(F64)),
  ...counted(parameters > 0 ? [F64] : []),
]);

export function functions(fma: boolean): Functions {
  const imports: (HostFunction & { readonly reference: FunctionReference })[] = [];
  const defined: { readonly parameters: 0 | 1; readonly code: Code; readonly reference: FunctionReference }[] = [];
  const byName = new Map<string, FunctionReference>();
  const add = (parameters: 0 | 1, code: Code): FunctionReference => {
    const reference: FunctionReference = { kind: 'function', index: 0 };
    defined.push({ parameters, code, reference });
    return reference;
  };
  const all: Functions = {
    imports,
    host(imported) {
      const known = byName.get(imported.name);
      if (known) return known;
      const reference: FunctionReference = { kind: 'function', index: 0 };
      imports.push({ ...imported, reference });
      byName.set(imported.name, reference);
      return reference;
    },
    hostOperation(op) {
      if (isUnary(op)) return all.host({ name: op, parameters: 1, call: unaryFunction[op] });
      if (isBinary(op)) return all.host({ name: op, parameters: 2, call: binaryFunction[op] });
      throw new Error(`no WebAssembly for ${op}`);
    },
    math(op, argument) {
      const name = `${op} ${argument}`;
      const known = byName.get(name);
      if (known) return known;
      const body = block();
      const v = vectors({ block: body, constants: body, lanes: lanes.f64x2, fma });
      const x: Local = { kind: 'local', type: F64, parameter: 0 };
      const result = vectorMath(v, op, put(body, V128, [...get(x), ...v.lanes.code('splat')]), argument);
      const reference = add(1, [...body.code, ...get(copyOf(result, 0)), ...v.lanes.code('extract'), 0]);
      byName.set(name, reference);
      return reference;
    },
    define: (code) => add(0, code),
    encode(run, bytes) {
      let index = 0;
      for (const { reference } of [...imports, ...defined]) reference.index = index++;
      const memory = [...nameBytes('host'), ...nameBytes('memory'), 2, 0, ...unsigned(Math.ceil(bytes / PAGE))];
      const imported = imports.map(({ name, parameters }) => [...nameBytes('host'), ...nameBytes(name), 0, parameters]);
      const bodies = defined.map(({ code, parameters }) => counted(encodeFunction(code, parameters)));
      return Uint8Array.from(
        [
          [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
          section(1, list(TYPES)),
          section(2, list([memory, ...imported])),
          section(3, list(defined.map(({ parameters }) => [parameters]))),
          section(7, list([[...nameBytes('run'), 0, ...unsigned(run.index)]])),
          section(10, list(bodies)),
        ].flat(),
      );
    },
  };
  return all;
}

export const call = (target: FunctionReference): Code => [scalarOp.call, target];
