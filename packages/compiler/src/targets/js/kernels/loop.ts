import { item } from '../../../ir/shape.js';
import type { ScanGeometry } from '../scan.js';

type Arrays = readonly Float64Array[];

/** Arrays of a loop, kept from call to call: no iteration allocates. */
type Workspace = {
  /** States before even and before odd iterations. */
  readonly states: readonly [Arrays, Arrays];
  readonly rows: Arrays;
  readonly ys: Arrays;
  /** Arguments of even and of odd iterations. */
  readonly inputs: readonly [Float64Array[], Float64Array[]];
  readonly outputs: readonly [Arrays, Arrays];
};

const workspaces = new WeakMap<ScanGeometry, Workspace>();

function workspaceOf(g: ScanGeometry): Workspace {
  const known = workspaces.get(g);
  if (known) return known;
  const arrays = (sizes: readonly number[]) => sizes.map((size) => new Float64Array(size));
  const states = [arrays(g.states), arrays(g.states)] as const;
  const [rows, ys] = [arrays(g.xs), arrays(g.ys)];
  const made: Workspace = {
    states,
    rows,
    ys,
    inputs: [
      [...states[0], ...rows],
      [...states[1], ...rows],
    ],
    outputs: [
      [...states[1], ...ys],
      [...states[0], ...ys],
    ],
  };
  workspaces.set(g, made);
  return made;
}

/** Elements from which a view of the source costs less than copying one by one. */
const LONG_COPY = 64;

function copy(from: Float64Array, start: number, to: Float64Array, at: number, size: number): void {
  if (size >= LONG_COPY) to.set(from.subarray(start, start + size), at);
  else for (let k = 0; k < size; k++) to[at + k] = from[start + k] as number;
}

/** Gives the body its invariants, without copying again what it has: in a loop within a loop that could cost as much as running it. */
function bind(g: ScanGeometry, operands: Arrays, own: number): void {
  const has = (k: number): boolean => k < own || (g.bound && g.steady[k] === true);
  if (operands.every((_, k) => has(k))) return;
  g.body?.bind?.(operands.map((values, k) => (has(k) ? undefined : values)));
  g.bound = true;
  // What is steady within the body is so for this call.
  for (const loop of g.inner) loop.bound = false;
}

/** Runs a body once per iteration; all results lie in `out` one behind the other. */
export function Scan(g: ScanGeometry, out: Float64Array, ...operands: Float64Array[]): void {
  const { body, length } = g;
  if (!body) throw new Error('the body of a loop was not compiled');
  const { states, rows, ys, inputs, outputs } = workspaceOf(g);
  const carried = states[0].length;
  const own = carried + rows.length;
  // An operand may lie in an array that is longer: several results share one in turn.
  for (let k = 0; k < carried; k++) copy(item(operands, k), 0, item(states[0], k), 0, item(states[0], k).length);
  for (let k = own; k < operands.length; k++) inputs[0][k] = inputs[1][k] = item(operands, k);
  bind(g, operands, own);
  for (let i = 0; i < length; i++) {
    for (let k = 0; k < rows.length; k++) {
      const row = rows[k] as Float64Array;
      copy(operands[carried + k] as Float64Array, i * row.length, row, 0, row.length);
    }
    if ((i & 1) === 0) body.run(inputs[0], outputs[0]);
    else body.run(inputs[1], outputs[1]);
    for (let k = 0; k < ys.length; k++) {
      const y = ys[k] as Float64Array;
      copy(y, 0, out, (g.offsets[carried + k] as number) + i * y.length, y.length);
    }
  }
  const last = states[(length & 1) as 0 | 1];
  for (let k = 0; k < carried; k++) out.set(item(last, k), item(g.offsets, k));
  // The invariants belong to whoever called.
  inputs[0].length = inputs[1].length = own;
}
