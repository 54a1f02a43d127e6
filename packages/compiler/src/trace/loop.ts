import type { Key, LoopResult, TracedLoop } from '@bpc/core';
import type { Scalar } from '@tensorflow/tfjs-core';
import type { Node, NodeOf } from '../ir/index.js';
import { iota, scan } from '../ir/scan.js';
import { item } from '../ir/shape.js';
import type { TraceSession } from './session.js';
import { isSymbolic, type LoopFrame } from './symbolic-key.js';

/**
 * Traces a loop's step once. Its nodes are made by the builder of the whole program, on stand-ins for state and rows, so
 * that subexpressions are shared across the loop's border; which of them belong to the body is found afterwards.
 */
export function traceLoop(session: TraceSession, { name, length, state, xs, key, body }: TracedLoop): LoopResult {
  const g = session.builder;
  const rows = new Map<Node, NodeOf<'Input'>>();
  const frame: LoopFrame & { open: boolean } = {
    length,
    open: true,
    row(stacked: Node) {
      const row = rows.get(stacked) ?? g.placeholder(stacked.shape.slice(1), stacked.dtype);
      rows.set(stacked, row);
      return row;
    },
  };
  const carried = state.map((tensor) => {
    const initial = session.node(tensor);
    return { initial, now: g.placeholder(initial.shape, initial.dtype) };
  });
  let numbers: Node | undefined;
  const index = (): Scalar => {
    numbers ??= iota(g, length);
    return session.tensor(frame.row(numbers)) as Scalar;
  };
  // A symbolic key is a key to whoever draws from it. A real key is frozen like every captured value; drawing from it says so.
  const inner = key !== undefined && isSymbolic(key) ? (key.each(frame) as unknown as Key) : key;
  try {
    const result = body(
      carried.map(({ now }) => session.tensor(now)),
      xs.map((tensor) => session.tensor(frame.row(session.node(tensor)))),
      index,
      inner,
    );
    const states = carried.map((each, i) => ({ ...each, next: session.node(item(result.state, i)) }));
    const ys = result.ys.map((tensor) => session.node(tensor));
    const outputs = scan(g, { name, length, states, xs: [...rows].map(([stacked, row]) => ({ stacked, row })), ys });
    return { state: outputs.states.map((node) => session.tensor(node)), ys: outputs.ys.map((node) => session.tensor(node)) };
  } finally {
    frame.open = false;
  }
}
