import { topologicalOrder } from './builder.js';
import { isConst } from './constant.js';
import type { Graph, Node, Window } from './node.js';
import { item } from './shape.js';

/** What to call a graph's inputs and outputs, by position. */
export type GraphNames = { readonly inputs?: readonly string[]; readonly outputs?: readonly string[] };

const WIDEST = 64;
const LONGEST_CONSTANT = 8;

/** As short as it can be read back; −0 and NaN as they are. */
const number = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

function values(list: ArrayLike<number>): string {
  const shown = Array.from({ length: Math.min(list.length, LONGEST_CONSTANT) }, (_, i) => number(item(list, i)));
  return list.length > shown.length ? `${shown.join(' ')} … ${list.length} in all` : shown.join(' ');
}

function windowText({ kernel, strides, dilations, padding }: Window): string {
  const parts = [`${kernel.join('×')}`];
  if (strides.some((step) => step !== 1)) parts.push(`stride ${strides.join('×')}`);
  if (dilations.some((step) => step !== 1)) parts.push(`dilation ${dilations.join('×')}`);
  if (padding.some((count) => count !== 0)) parts.push(`padding ${padding.join(' ')}`);
  return parts.join(', ');
}

/** What follows the operands. */
function attributesText(node: Node): string {
  switch (node.op) {
    case 'Const':
      return values(node.attributes.values);
    case 'Slice': {
      const { begin, strides } = node.attributes;
      return begin.map((b, i) => `${b}+${node.shape[i]}${strides[i] === 1 ? '' : `·${strides[i]}`}`).join(' ');
    }
    case 'Pad':
      return `${node.attributes.paddings.map(([before, after]) => `${before}|${after}`).join(' ')} with ${number(node.attributes.value)}`;
    case 'Conv':
    case 'ConvInputGrad':
    case 'ConvFilterGrad':
    case 'AvgPool':
    case 'AvgPoolGrad':
    case 'MaxPool':
    case 'MaxPoolGrad':
    case 'MaxPoolGather':
      return windowText(node.attributes);
    case 'Scan':
      return `${node.attributes.length} times ${node.attributes.body.name}`;
    // Written at the operands.
    case 'MatMul':
      return '';
    default:
      return Object.entries(node.attributes)
        .filter(([, value]) => value !== false)
        .map(([name, value]) => (value === true ? name : `${name} ${Array.isArray(value) ? value.join(' ') : String(value)}`))
        .join(', ');
  }
}

/** How often each value is read, outputs included. */
function useCounts(order: readonly Node[], outputs: readonly Node[]): ReadonlyMap<Node, number> {
  const counts = new Map<Node, number>();
  for (const node of [...order.flatMap(({ inputs }) => inputs), ...outputs]) counts.set(node, (counts.get(node) ?? 0) + 1);
  return counts;
}

const isScalar = (node: Node): boolean => isConst(node) && node.shape.length === 0;
const typeOf = (node: Node): string => `${node.dtype}[${node.shape}]`;

/**
 * A graph as text, to be read: one line per value with its type and how often it is used, operands before their users,
 * scalars in place, long constants shortened, the body of a loop below it. `ᵀ` marks a factor that is read transposed.
 *
 * @example
 * ```ts
 * import { mul, exp, type Tensor, tensor } from '@tensorflow/tfjs-core';
 * import { jsRuntime, printGraph, trace } from '@bpc/compiler';
 * jsRuntime(); // without a tfjs backend, tensors need the storage it registers
 * console.log(printGraph(trace((x: Tensor) => mul(exp(x), 0.5), [tensor([1, 2])]).graph));
 * ```
 */
export function printGraph(graph: Graph, names: GraphNames = {}): string {
  const order = topologicalOrder(graph.outputs).filter((node) => node.op !== 'Input' && !isScalar(node));
  const uses = useCounts(topologicalOrder(graph.outputs), graph.outputs);
  const called = new Map<Node, string>();
  graph.inputs.forEach((node, i) => called.set(node, names.inputs?.[i] ?? `in${i}`));
  order.forEach((node, i) => called.set(node, `%${i + 1}`));
  const name = (node: Node): string =>
    isConst(node) && isScalar(node) ? number(item(node.attributes.values, 0)) : (called.get(node) ?? '?');
  const transposed = (node: Node, i: number): boolean =>
    node.op === 'MatMul' && (i === 0 ? node.attributes.transposeA : node.attributes.transposeB);
  const rows = order.map((node) => {
    const operands = node.inputs.map((x, i) => name(x) + (transposed(node, i) ? 'ᵀ' : '')).join(', ');
    const details = attributesText(node);
    const count = uses.get(node) ?? 0;
    return {
      left: `${name(node)} = ${node.op}(${operands}${operands !== '' && details !== '' ? '; ' : ''}${details})`,
      right: typeOf(node) + (count > 1 ? `  used ${count}×` : ''),
      below: node.op === 'Scan' ? [printGraph(node.attributes.body).replace(/^/gm, '    ')] : [],
    };
  });
  const width = Math.min(WIDEST, Math.max(0, ...rows.map(({ left }) => left.length)));
  const unused = (node: Node) => (uses.has(node) ? '' : ' (unused)');
  const outputs = graph.outputs.map((node, i) => {
    const path = names.outputs?.[i] ?? '';
    return `${path === '' ? '' : `${path}: `}${name(node)}`;
  });
  return [
    `${graph.name}(${graph.inputs.map((node) => `${name(node)} ${typeOf(node)}${unused(node)}`).join(', ')}) {`,
    ...rows.flatMap(({ left, right, below }) => [`  ${left.padEnd(width)}  ${right}`, ...below]),
    `  return ${outputs.join(', ')}`,
    '}',
  ].join('\n');
}
