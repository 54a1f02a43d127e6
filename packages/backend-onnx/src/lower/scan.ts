import type { Graph, Node, NodeOf } from '@bpc/compiler';
import type { Subgraph, ValueInfo } from '../model/serialize.js';
import type { LoweringContext } from './context.js';
import { range } from './shape.js';

/** Lowers a loop's body inside of a graph: its inputs have the given names, the first `own` of which are the loop's. */
export type LowerBody = (
  body: Graph,
  inputNames: readonly string[],
  own: number,
  outer: LoweringContext,
) => Pick<Subgraph, 'nodes' | 'outputs'>;

/**
 * A loop as ONNX `Scan`: rows are read and results written in place, states change hands without a copy. Invariants are no
 * inputs, the body takes them from the graph around it; whatever the lowering computes from them alone (transforms of
 * data, say) lands there, too.
 */
export function lowerScan(node: NodeOf<'Scan'>, context: LoweringContext, lowerBody: LowerBody): string {
  const { onnx } = context;
  const { length, states, xs, body } = node.attributes;
  const operands = node.inputs.map((operand) => context.rows(operand));
  const given = body.inputs.slice(0, states + xs);
  const inputNames = [...given.map(() => onnx.fresh('row')), ...operands.slice(states + xs)];
  const info = ({ dtype, shape }: Node, i: number): ValueInfo => ({ name: inputNames[i] ?? '', type: dtype, shape });
  const inputs = given.map(info);
  // The length of a Scan is that of its rows: there must be some.
  const counted = xs > 0 ? [] : [onnx.constant(range(length), [length], 'int32')];
  const counter = xs > 0 ? [] : [{ name: onnx.fresh('row'), type: 'int32', shape: [] } as const];
  const { nodes, outputs } = lowerBody(body, inputNames, states + xs, context);
  const graph: Subgraph = { name: body.name, nodes, inputs: [...inputs, ...counter], outputs };
  const results = onnx.append(
    {
      op: 'Scan',
      domain: '',
      inputs: [...operands.slice(0, states + xs), ...counted],
      attributes: { body: { graph }, num_scan_inputs: xs + counter.length },
    },
    body.outputs.length,
  );
  body.outputs.forEach(({ shape }, i) => onnx.describe(results[i] ?? '', i < states ? shape : [length, ...shape]));
  context.results.set(node, results);
  return results[0] ?? '';
}

/** One result of a loop. */
export function lowerScanOutput(node: NodeOf<'ScanOutput'>, context: LoweringContext): string {
  const [loop] = node.inputs;
  const name = loop === undefined ? undefined : context.results.get(loop)?.[node.attributes.index];
  if (name === undefined) throw new RangeError(`ScanOutput #${node.id} has no loop, or its loop no result ${node.attributes.index}`);
  return name;
}
