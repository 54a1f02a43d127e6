import { topologicalOrder } from './builder.js';
import type { Graph, Node } from './node.js';

function attributes(node: Node): string {
  const parts = Object.entries(node.attributes).flatMap(([name, value]) => {
    if (name === 'body') return [];
    if (name === 'values') {
      const values = Array.from(value as ArrayLike<number>);
      return values.length <= 8 ? values.join(' ') : `${values.slice(0, 6).join(' ')} … (${values.length})`;
    }
    return `${name}=${JSON.stringify(value)}`;
  });
  return parts.length > 0 ? ` {${parts.join(' ')}}` : '';
}

/**
 * A graph as text: one line per value, operands before their users, the body of a loop below it.
 *
 * @example
 * ```ts
 * import { exp, type Tensor, tensor } from '@tensorflow/tfjs-core';
 * import { jsRuntime, printGraph, trace } from '@bpc/compiler';
 * jsRuntime(); // without a tfjs backend, tensors need the storage it registers
 * console.log(printGraph(trace((x: Tensor) => exp(x), [tensor([1, 2])]).graph));
 * ```
 */
export function printGraph(graph: Graph): string {
  const lines = [...new Set([...graph.inputs, ...topologicalOrder(graph.outputs)])].flatMap((node) => [
    `  %${node.id}: ${node.dtype}[${node.shape}] = ${node.op}(${node.inputs.map((x) => `%${x.id}`).join(', ')})${attributes(node)}`,
    ...(node.op === 'Scan' ? [printGraph(node.attributes.body).replace(/^/gm, '    ')] : []),
  ]);
  return [`${graph.name} {`, ...lines, `  return ${graph.outputs.map((x) => `%${x.id}`).join(', ')}`, '}'].join('\n');
}
