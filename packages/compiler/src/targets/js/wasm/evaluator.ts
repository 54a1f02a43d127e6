import type { Expression } from '../expression.js';
import { type Code, f64, get, type Local, put, type Value } from './code.js';
import { blockAt, type Emission, innermost } from './emission.js';
import { splatMask } from './masks.js';
import { F64, I32, scalarOp, V128 } from './opcodes.js';
import { isComparison, isTruth, type ScalarOperands, scalarCode, truthCode } from './scalar-forms.js';
import { fusedProduct, maskValue, type VectorOperands, vectorValue } from './vector-forms.js';
import { vectors } from './vectors.js';

/** How a value is kept: a float64, an i32 that is 0 or 1, lanes, or lanes that are all ones or all zeros. */
type Form = 'scalar' | 'truth' | 'vector' | 'mask';
type Need = { readonly e: Expression; readonly form: Form };

/** Scalars of the whole program, which live in one function of the module and may be needed in another. */
export interface Handover {
  /** A scalar in the current function, if any function has computed it. */
  fetch(e: Expression): Local | undefined;
  /** Notes that the current function has computed a scalar. A new function may start then. */
  computed(e: Expression, value: Local): void;
}

/** Computes expressions where their innermost loop variable is known, each once per block. */
export interface Evaluator {
  /** Code that leaves the value on the stack. */
  scalar(e: Expression): Code;
  /** The lanes of a value in the innermost loop. */
  vector(e: Expression): Value;
}

export function evaluator(emission: Emission, handover: Handover): Evaluator {
  const home = ({ depth }: Expression) => blockAt(emission, depth);
  const lookup = ({ e, form }: Need): Value | undefined => {
    if (e.op !== 'total' || form !== 'scalar') {
      const known = home(e).values.get(`${form} ${e.id}`);
      if (known) return known;
    }
    return form === 'scalar' && e.depth === 0 ? handover.fetch(e) : undefined;
  };
  const isThere = (need: Need) => need.e.op === 'number' || lookup(need) !== undefined;
  const found = (e: Expression, form: Form): Value => {
    const value = lookup({ e, form });
    if (!value) throw new Error(`the ${form} of ${e.op} is used before it is computed`);
    return value;
  };
  const single = (e: Expression, form: 'scalar' | 'truth'): Code => {
    const value = found(e, form);
    return 'kind' in value ? get(value) : [];
  };
  const scalars: ScalarOperands = {
    number: (e) => (e.op === 'number' ? f64(Number(e.text)) : single(e, 'scalar')),
    truth: (e) => (e.op === 'number' ? [scalarOp.i32Const, Math.abs(Number(e.text)) > 0 ? 1 : 0] : single(e, 'truth')),
  };
  const constants = () => vectors({ block: blockAt(emission, 0), constants: blockAt(emission, 0), lanes: emission.lanes, fma: false });
  const lanes: VectorOperands = {
    number: (e) => (e.op === 'number' ? constants().number(Number(e.text)) : found(e, 'vector')),
    mask: (e) => (e.op === 'number' ? constants().integer(Math.abs(Number(e.text)) > 0 ? -1n : 0n) : found(e, 'mask')),
    scalar: scalars.number,
  };
  const build = ({ e, form }: Need): Value => {
    const block = home(e);
    if (form === 'scalar') return put(block, F64, scalarCode(emission, e, scalars));
    if (form === 'truth') return put(block, I32, truthCode(e, isTruth(e.op) ? [] : scalars.number(e), scalars));
    if (e.depth === innermost(emission))
      return form === 'vector' ? vectorValue(emission, e, lanes) : maskValue(emission, e, () => lanes.number(e), lanes);
    // The same in all lanes: splat outside the innermost loop.
    const { lanes: kind } = emission;
    if (form === 'mask') return put(block, V128, splatMask(scalars.truth(e)));
    return put(block, V128, [...scalars.number(e), ...(kind.bytes === 4 ? [scalarOp.demote] : []), ...kind.code('splat')]);
  };
  // A stack, since chains are deeper than the call stack allows.
  const demand = (e: Expression, form: Form): void => {
    const stack: Need[] = [{ e, form }];
    for (let need = stack.at(-1); need !== undefined; need = stack.at(-1)) {
      if (isThere(need)) {
        stack.pop();
        continue;
      }
      const missing = operands(need, emission).filter((operand) => !isThere(operand));
      if (missing.length > 0) {
        stack.push(...missing.reverse());
        continue;
      }
      stack.pop();
      const value = build(need);
      home(need.e).values.set(`${need.form} ${need.e.id}`, value);
      if (need.form === 'scalar' && need.e.depth === 0 && 'kind' in value) handover.computed(need.e, value);
    }
  };
  return {
    scalar(e) {
      demand(e, 'scalar');
      return scalars.number(e);
    },
    vector(e) {
      demand(e, 'vector');
      return lanes.number(e);
    },
  };
}

/** What must be there before a value can be computed. */
function operands({ e, form }: Need, emission: Emission): Need[] {
  const depth = innermost(emission);
  const { op, args } = e;
  const as = (wanted: Form, values: readonly Expression[]): Need[] => values.map((value) => ({ e: value, form: wanted }));
  if (op === 'total' || op === 'number') return [];
  const inLanes = form === 'vector' || form === 'mask';
  if (inLanes && e.depth < depth) return as(form === 'vector' ? 'scalar' : 'truth', [e]);
  const [number, condition] = inLanes ? (['vector', 'mask'] as const) : (['scalar', 'truth'] as const);
  if (op === 'load') {
    if (form === 'truth' || form === 'mask') return as(number, [e]);
    return args.flatMap((row) => as(inLanes && row.depth === depth ? 'vector' : 'scalar', [row]));
  }
  if (isTruth(op) && (form === 'scalar' || form === 'vector')) return as(condition, [e]);
  if (isComparison(op)) return as(number, args);
  if (isTruth(op)) return as(condition, args);
  if (form === 'truth' || form === 'mask') return as(number, [e]);
  const fused = form === 'vector' ? fusedProduct(emission, e, depth) : undefined;
  if (fused) return as(number, [...fused.factors, fused.other]);
  return op === 'Select' ? [...as(condition, args.slice(0, 1)), ...as(number, args.slice(1))] : as(number, args);
}
