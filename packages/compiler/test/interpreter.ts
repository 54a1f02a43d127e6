import { type Graph, type Node, topologicalOrder } from '@bpc/compiler';
import { binaryFunction, compareFunction, unaryFunction } from '../src/ir/scalar-functions.js';
import { scanResults } from '../src/ir/scan.js';
import { broadcastShapes, sizeOf, stridesOf, unravel } from '../src/ir/shape.js';
import { isFactoring, matrixValues } from './interpreter-matrices.js';
import { isWindowed, windowedValues } from './interpreter-windows.js';

type Read = (index: number[]) => number;

/** Computes a graph element by element, as the definitions of its operations say; slow on purpose. */
export function interpret(graph: Graph, inputs: readonly ArrayLike<number>[]): number[][] {
  const values = new Map<Node, number[]>();
  for (const node of topologicalOrder(graph.outputs)) {
    if (node.op === 'Scan') {
      values.set(node, loop(node));
      continue;
    }
    values.set(node, whole(node) ?? Array.from({ length: sizeOf(node.shape) }, (_, k) => element(node, unravel(k, node.shape), k)));
  }
  return graph.outputs.map((node) => values.get(node)!);

  /** Operations that are easier to define all at once. */
  function whole(node: Node): number[] | undefined {
    const operands = node.inputs.map((x) => values.get(x)!);
    if (isWindowed(node)) return windowedValues(node, operands[0]!, operands[1] ?? []);
    if (isFactoring(node)) return matrixValues(node, operands[0]!, operands[1] ?? []);
    if (node.op !== 'ScatterAdd') return undefined;
    const width = sizeOf(node.shape.slice(1));
    const sums = new Array<number>(sizeOf(node.shape)).fill(0);
    operands[0]!.forEach((value, k) => {
      const row = operands[1]![Math.floor(k / width)]!;
      if (row >= 0 && row < node.shape[0]!) sums[row * width + (k % width)]! += value;
    });
    return sums;
  }

  /** A loop as its definition says; all results one behind the other. */
  function loop({ inputs: operands, attributes: { length, states, xs, body } }: Extract<Node, { op: 'Scan' }>): number[] {
    const given = operands.map((operand) => values.get(operand)!);
    let state = given.slice(0, states);
    const stacks: number[][] = body.outputs.slice(states).map(() => []);
    for (let i = 0; i < length; i++) {
      const rows = given.slice(states, states + xs).map((all) => all.slice((i * all.length) / length, ((i + 1) * all.length) / length));
      const results = interpret(body, [...state, ...rows, ...given.slice(states + xs)]);
      state = results.slice(0, states);
      stacks.forEach((stack, k) => stack.push(...results[states + k]!));
    }
    return [...state, ...stacks].flat();
  }

  function reader(node: Node): Read {
    const [strides, data] = [stridesOf(node.shape), values.get(node)!];
    return (index) =>
      data[
        node.shape.reduce((sum, length, i) => sum + (length === 1 ? 0 : index[index.length - node.shape.length + i]!) * strides[i]!, 0)
      ]!;
  }

  function element(node: Node, at: number[], k: number): number {
    const [p, q, r] = node.inputs;
    const read = (x: Node | undefined, index: number[]) => reader(x!)(index);
    if (node.op in unaryFunction) return unaryFunction[node.op as keyof typeof unaryFunction](read(p, at));
    if (node.op in binaryFunction) return binaryFunction[node.op as keyof typeof binaryFunction](read(p, at), read(q, at));
    if (node.op in compareFunction) return compareFunction[node.op as keyof typeof compareFunction](read(p, at), read(q, at));
    switch (node.op) {
      case 'Input':
        return inputs[node.attributes.index]![k]!;
      case 'Const':
        return node.attributes.values[k]!;
      case 'ScanOutput':
        return values.get(p!)![(p?.op === 'Scan' ? scanResults(p.attributes)[node.attributes.index]!.offset : 0) + k]!;
      case 'Select':
        return read(p, at) !== 0 ? read(q, at) : read(r, at);
      case 'Cast':
        return node.dtype === 'int32' ? Math.trunc(read(p, at)) : node.dtype === 'bool' ? +(read(p, at) !== 0) : read(p, at);
      case 'Broadcast':
        return read(p, at);
      case 'Reshape':
        return values.get(p!)![k]!;
      case 'Transpose': {
        const source: number[] = [];
        node.attributes.perm.forEach((axis, i) => {
          source[axis] = at[i]!;
        });
        return read(p, source);
      }
      case 'Slice':
        return read(
          p,
          at.map((i, axis) => node.attributes.begin[axis]! + i * node.attributes.strides[axis]!),
        );
      case 'Reverse':
        return read(
          p,
          at.map((i, axis) => (node.attributes.axes.includes(axis) ? p!.shape[axis]! - 1 - i : i)),
        );
      case 'Pad': {
        const source = at.map((i, axis) => i - node.attributes.paddings[axis]![0]);
        return source.every((i, axis) => i >= 0 && i < p!.shape[axis]!) ? read(p, source) : node.attributes.value;
      }
      case 'Concat': {
        let i = at[node.attributes.axis]!;
        let part = 0;
        while (i >= node.inputs[part]!.shape[node.attributes.axis]!) i -= node.inputs[part++]!.shape[node.attributes.axis]!;
        return read(
          node.inputs[part],
          at.map((v, axis) => (axis === node.attributes.axis ? i : v)),
        );
      }
      case 'Sum':
      case 'Max':
      case 'Min':
      case 'Prod': {
        const { axes } = node.attributes;
        const reduced = p!.shape.map((length, axis) => (axes.includes(axis) ? length : 1));
        const terms = Array.from({ length: sizeOf(reduced) }, (_, j) => {
          const inner = unravel(j, reduced);
          return read(
            p,
            at.map((i, axis) => (axes.includes(axis) ? inner[axis]! : i)),
          );
        });
        return node.op === 'Sum'
          ? terms.reduce((a, b) => a + b, 0)
          : node.op === 'Prod'
            ? terms.reduce((a, b) => a * b, 1)
            : Math[node.op === 'Max' ? 'max' : 'min'](...terms);
      }
      case 'MatMul': {
        const { transposeA, transposeB } = node.attributes;
        const lead = broadcastShapes(p!.shape.slice(0, -2), q!.shape.slice(0, -2));
        const [row, column] = at.slice(-2) as [number, number];
        const terms = p!.shape.at(transposeA ? -2 : -1)!;
        return Array.from(
          { length: terms },
          (_, j) =>
            read(p, [...at.slice(0, lead.length), ...(transposeA ? [j, row] : [row, j])]) *
            read(q, [...at.slice(0, lead.length), ...(transposeB ? [column, j] : [j, column])]),
        ).reduce((a, b) => a + b, 0);
      }
      case 'CumSum': {
        const { axis, exclusive, reverse } = node.attributes;
        const terms = Array.from({ length: p!.shape[axis]! }, (_, i) => i).filter(
          (i) => (reverse ? i >= at[axis]! : i <= at[axis]!) && !(exclusive && i === at[axis]),
        );
        return terms.reduce(
          (sum, i) =>
            sum +
            read(
              p,
              at.map((own, a) => (a === axis ? i : own)),
            ),
          0,
        );
      }
      case 'ArgMax': {
        const { axis } = node.attributes;
        const row = Array.from({ length: p!.shape[axis]! }, (_, i) => read(p, [...at.slice(0, axis), i, ...at.slice(axis)]));
        return row.reduce((best, value, i) => (value > row[best]! ? i : best), 0);
      }
      case 'TopK': {
        const row = Array.from({ length: p!.shape.at(-1)! }, (_, i) => ({ i, value: read(p, [...at.slice(0, -1), i]) }));
        return row.sort((a, b) => b.value - a.value || a.i - b.i)[at.at(-1)!]!.i;
      }
      case 'Gather':
        return read(p, [read(q, at.slice(0, q!.shape.length)), ...at.slice(q!.shape.length)]);
      default:
        throw new Error(`the interpreter has no ${node.op}`);
    }
  }
}
