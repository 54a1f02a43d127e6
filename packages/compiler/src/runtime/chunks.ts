import { type Graph, graphBuilder, type Node, type NodeOf } from '../ir/index.js';
import { scanOutputs } from '../ir/scan.js';
import { sizeOf } from '../ir/shape.js';
import { loopLengths } from '../trace/symbolic-key.js';
import type { InputSource } from '../trace/trace.js';

/** Whether an operand of a loop is noise that is drawn for some iterations at a time. */
export const isStreamed = (node: Node, sources: readonly InputSource[]): boolean => {
  const source = node.op === 'Input' ? sources[node.attributes.index] : undefined;
  return source !== undefined && source.kind !== 'tensor' && loopLengths(source).length > 0;
};

/** The rows that a loop reads: its `xs`. */
export const rowsOf = ({ inputs, attributes: { states, xs } }: NodeOf<'Scan'>): readonly Node[] => inputs.slice(states, states + xs);

/** Bytes of noise that one iteration of a loop reads. */
export function noisePerIteration(loop: NodeOf<'Scan'>, sources: readonly InputSource[]): number {
  const rows = rowsOf(loop).filter((node) => isStreamed(node, sources));
  return rows.reduce((sum, { shape }) => sum + 4 * sizeOf(shape.slice(1)), 0);
}

/**
 * Iterations per chunk: as many as `most` allows, but equal chunks where the number of iterations has a divisor not much
 * smaller, since another length is another program.
 */
export function chunkLength(length: number, most: number): number {
  const largest = Math.max(1, Math.min(length, Math.floor(most)));
  for (let chunk = largest; chunk > largest / 2; chunk--) if (length % chunk === 0) return chunk;
  return Math.ceil(length / Math.ceil(length / largest));
}

/**
 * `length` iterations of a loop as a program: inputs are the states, the rows of these iterations, and the invariants that
 * are no constants; outputs are the loop's results.
 */
export function chunkGraph({ attributes, inputs }: NodeOf<'Scan'>, length: number): Graph {
  const g = graphBuilder();
  const operands = inputs.map((operand, i) => {
    if (i < attributes.states) return g.input(operand.shape, operand.dtype);
    if (i < attributes.states + attributes.xs) return g.input([length, ...operand.shape.slice(1)], operand.dtype);
    return operand.op === 'Const' ? operand : g.input(operand.shape, operand.dtype);
  });
  return g.finish(scanOutputs(g, operands, { ...attributes, length }), attributes.body.name);
}
