import { type Graph, type Node, topologicalOrder } from '@bpc/compiler';
import { MissingKernelError } from '@bpc/core';
import { OnnxGraph } from '../model/onnx-graph.js';
import type { OnnxModel, ValueInfo } from '../model/serialize.js';
import { LoweringContext } from './context.js';
import { lowerConv, lowerConvFilterGrad, lowerConvInputGrad } from './convolution.js';
import { lowerBinary, lowerCast, lowerCompare, lowerSelect, lowerUnary } from './elementwise.js';
import { assignLayouts } from './layout.js';
import { HOST_LOWERING, type LoweringOptions } from './lowering-options.js';
import { lowerMaxPool, lowerMaxPoolGather, lowerMaxPoolGrad } from './max-pooling.js';
import { lowerAvgPool, lowerAvgPoolGrad } from './pooling.js';
import { lowerArgMax, lowerCumSum, lowerReduce, lowerTopK } from './reduce.js';
import { type LowerBody, lowerScan, lowerScanOutput } from './scan.js';
import {
  lowerBroadcast,
  lowerConcat,
  lowerGather,
  lowerMatMul,
  lowerPad,
  lowerReshape,
  lowerReverse,
  lowerScatterAdd,
  lowerSlice,
  lowerTranspose,
} from './structure.js';
import { isUpsampling } from './upsampling.js';

/** A lowered graph: the model, and which of the graph's inputs it takes, in the order of `model.inputs`. */
export interface Lowered {
  readonly model: OnnxModel;
  readonly inputIndices: readonly number[];
}

/**
 * Lowers a program to an ONNX model; `options` say what the provider's kernels are good at.
 *
 * @throws MissingKernelError naming the operation that has no lowering and the traced function.
 */
export function lowerGraph(graph: Graph, targetName: string, options: LoweringOptions = HOST_LOWERING): Lowered {
  const inputs = topologicalOrder(graph.outputs)
    .filter((node) => node.op === 'Input')
    .sort((a, b) => a.attributes.index - b.attributes.index);
  const inputName = (index: number) => `in${index}`;
  const { nodes, outputs, onnx } = lowerInto(graph, inputName, targetName, options, undefined, true);
  return {
    model: {
      name: graph.name,
      nodes,
      initializers: onnx.initializers,
      inputs: inputs.map((input) => ({ name: inputName(input.attributes.index), type: input.dtype, shape: input.shape })),
      outputs,
    },
    inputIndices: inputs.map((input) => input.attributes.index),
  };
}

/**
 * Lowers what the outputs of a graph need, in an ONNX graph of its own or in the body of a loop. Outputs that are `flat` need
 * the right number of elements only: ONNX Runtime would copy a reshaped one.
 */
function lowerInto(
  graph: Graph,
  inputName: (index: number) => string,
  targetName: string,
  options: LoweringOptions,
  onnx: OnnxGraph = new OnnxGraph(options),
  flat = false,
) {
  const order = topologicalOrder(graph.outputs);
  const lowerBody: LowerBody = (body, names, own, outer) =>
    lowerInto(body, (index) => names[index] ?? '', targetName, options, outer.onnx.body(names.slice(0, own)));
  const context = new LoweringContext(
    assignLayouts(order),
    (node, self) => (node.op === 'Input' ? inputName(node.attributes.index) : emit(node, self, targetName, graph.name, lowerBody)),
    options,
    onnx,
  );
  // Operands first, without recursion. An upsampling is written out only if an operation cannot broadcast it.
  for (const node of order) if (!isUpsampling(node)) context.stored(node);
  const taken = new Set<string>();
  const outputs = graph.outputs.map((node): ValueInfo => {
    const shaped = { name: context.rows(node), shape: node.shape };
    const { name: value, shape } = (flat ? onnx.unshaped(shaped.name) : undefined) ?? shaped;
    const name = taken.has(value) || !onnx.computes(value) ? onnx.copy(value) : value;
    taken.add(name);
    return { name, type: node.dtype, shape };
  });
  return { nodes: onnx.needed(outputs.map(({ name }) => name)), outputs, onnx };
}

function emit(node: Node, context: LoweringContext, targetName: string, functionName: string, lowerBody: LowerBody): string {
  switch (node.op) {
    case 'Const':
      return context.onnx.constant(node.attributes.values, node.shape, node.dtype);
    case 'Neg':
    case 'Exp':
    case 'Expm1':
    case 'Log':
    case 'Log1p':
    case 'Relu':
    case 'Sqrt':
    case 'Sigmoid':
    case 'Softplus':
    case 'Tanh':
    case 'Abs':
    case 'Sign':
    case 'Reciprocal':
    case 'Step':
    case 'Sin':
    case 'Cos':
    case 'Tan':
    case 'Asin':
    case 'Acos':
    case 'Atan':
    case 'Sinh':
    case 'Cosh':
    case 'Asinh':
    case 'Acosh':
    case 'Atanh':
    case 'Floor':
    case 'Ceil':
    case 'Round':
    case 'Erf':
    case 'LogicalNot':
      return lowerUnary(node, context);
    case 'Add':
    case 'Sub':
    case 'Mul':
    case 'Div':
    case 'Pow':
    case 'Maximum':
    case 'Minimum':
    case 'FloorDiv':
    case 'FloorMod':
    case 'Atan2':
    case 'BitwiseAnd':
      return lowerBinary(node, context);
    case 'Greater':
    case 'GreaterEqual':
    case 'Less':
    case 'LessEqual':
    case 'Equal':
    case 'NotEqual':
    case 'LogicalAnd':
    case 'LogicalOr':
      return lowerCompare(node, context);
    case 'Select':
      return lowerSelect(node, context);
    case 'Cast':
      return lowerCast(node, context);
    case 'Sum':
    case 'Max':
    case 'Min':
    case 'Prod':
      return lowerReduce(node, context);
    case 'ArgMax':
      return lowerArgMax(node, context);
    case 'TopK':
      return lowerTopK(node, context);
    case 'CumSum':
      return lowerCumSum(node, context);
    case 'Broadcast':
      return lowerBroadcast(node, context);
    case 'Reshape':
      return lowerReshape(node, context);
    case 'Transpose':
      return lowerTranspose(node, context);
    case 'Slice':
      return lowerSlice(node, context);
    case 'Pad':
      return lowerPad(node, context);
    case 'Concat':
      return lowerConcat(node, context);
    case 'Reverse':
      return lowerReverse(node, context);
    case 'Gather':
      return lowerGather(node, context);
    case 'ScatterAdd':
      return lowerScatterAdd(node, context);
    case 'MatMul':
      return lowerMatMul(node, context);
    case 'Conv':
      return lowerConv(node, context);
    case 'ConvInputGrad':
      return lowerConvInputGrad(node, context);
    case 'ConvFilterGrad':
      return lowerConvFilterGrad(node, context);
    case 'AvgPool':
      return lowerAvgPool(node, context);
    case 'AvgPoolGrad':
      return lowerAvgPoolGrad(node, context);
    case 'MaxPool':
      return lowerMaxPool(node, context);
    case 'MaxPoolGrad':
      return lowerMaxPoolGrad(node, context);
    case 'MaxPoolGather':
      return lowerMaxPoolGather(node, context);
    case 'Scan':
      return lowerScan(node, context, lowerBody);
    case 'ScanOutput':
      return lowerScanOutput(node, context);
    default:
      // Reached when the compiler knows an operation that this package does not.
      throw new MissingKernelError(
        node.op,
        targetName,
        `found while lowering '${functionName}'; run it on jsRuntime() or an eager runtime`,
      );
  }
}
