import { type DType, type Graph, graphBuilder, type Node, type Shape } from '../ir/index.js';
import type { TraceKernel } from './kernels/kernel.js';

/** What is known of a tensor before it has values. @internal */
export type OperandType = { readonly shape: Shape; readonly dtype: DType };

/** One call of a kernel: operands by name or in a list, as tfjs passes them. @internal */
export type KernelCall = {
  readonly kernel: TraceKernel;
  readonly operands: { readonly [name: string]: OperandType } | readonly OperandType[];
  readonly attributes: object;
};

/** A kernel call as a graph. @internal */
export type KernelGraph = {
  /** Its inputs are in the order of the operands. */
  readonly graph: Graph;
  /** Whether the kernel gives a list of tensors, of any length, in place of one. */
  readonly list: boolean;
};

const isList = <T>(value: object | readonly T[]): value is readonly T[] => Array.isArray(value);

/**
 * The graph of a single kernel call, by the same construction as in a trace.
 *
 * @internal For backends that run kernel by kernel; programs are traced whole.
 */
export function kernelGraph({ kernel, operands, attributes }: KernelCall): KernelGraph {
  const g = graphBuilder();
  const input = ({ shape, dtype }: OperandType): Node => g.input([...shape], dtype);
  const nodes = isList<OperandType>(operands)
    ? operands.map(input)
    : Object.fromEntries(Object.entries(operands).map(([name, operand]) => [name, input(operand)]));
  const result = kernel.build(g, nodes, attributes);
  const list = isList<Node>(result);
  return { graph: g.finish(list ? result : [result], kernel.kernelName), list };
}
