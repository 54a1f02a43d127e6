import type { DType, Graph, Node } from '../ir/index.js';
import { sizeOf } from '../ir/shape.js';

/** Values of a program's inputs and outputs. */
export type Values = Float32Array | Float64Array | Int32Array | Uint8Array;

/** A fresh array of the type tfjs keeps for `dtype`. */
export function boundaryArray(values: ArrayLike<number>, dtype: DType): Float32Array | Int32Array | Uint8Array {
  // Constructors, not `from`, which goes through an iterator.
  return dtype === 'float32' ? new Float32Array(values) : dtype === 'int32' ? new Int32Array(values) : new Uint8Array(values);
}

export type OutputPlan = {
  /** Computes each distinct value once and leaves out what needs no computing. */
  readonly graph: Graph;
  /** One array per output of the original graph, none of them shared. */
  collect(inputs: readonly Values[], computed: readonly Values[]): Values[];
};

/**
 * What a target has to compute. An output that is an input or a constant is copied on the host, and one value returned
 * twice is computed once and copied: outputs never alias anything.
 */
export function planOutputs(graph: Graph): OutputPlan {
  const distinct = [...new Set(graph.outputs)].filter((node) => node.op !== 'Input' && node.op !== 'Const');
  const used = new Set<Node>();
  const value = (node: Node, inputs: readonly Values[], computed: readonly Values[]): Values => {
    const source: ArrayLike<number> | undefined =
      node.op === 'Input' ? inputs[node.attributes.index] : node.op === 'Const' ? node.attributes.values : computed[distinct.indexOf(node)];
    if (source === undefined || source.length !== sizeOf(node.shape)) {
      throw new RangeError(`output %${node.id} of '${graph.name}' has ${source?.length ?? 'no'} values, expected ${sizeOf(node.shape)}`);
    }
    const first = !used.has(node) && distinct.some((each) => each === node);
    used.add(node);
    return first && matches(source, node.dtype) ? source : boundaryArray(source, node.dtype);
  };
  return {
    graph: { ...graph, outputs: distinct },
    collect(inputs, computed) {
      used.clear();
      return graph.outputs.map((node) => value(node, inputs, computed));
    },
  };
}

function matches(source: ArrayLike<number>, dtype: DType): source is Values {
  return dtype === 'float32'
    ? source instanceof Float32Array
    : dtype === 'int32'
      ? source instanceof Int32Array
      : source instanceof Uint8Array;
}
