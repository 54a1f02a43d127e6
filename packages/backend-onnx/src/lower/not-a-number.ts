import type { OnnxGraph } from '../model/onnx-graph.js';

/** −∞ in place of NaN: tfjs's arg-max and max pooling look for larger elements only, and no NaN is larger. */
export function withoutNaN(onnx: OnnxGraph, x: string, rank: number): string {
  return onnx.op('Where', [onnx.isNaN(x), onnx.scalar(-Infinity, rank), x]);
}

/** NaN where one of the elements along `axes` is: ONNX Runtime's maxima and minima leave NaN out. */
export function withNaN(onnx: OnnxGraph, reduced: string, x: string, axes: readonly number[], rank: number): string {
  const found = onnx.op('ReduceMax', [onnx.op('Cast', [onnx.isNaN(x)], { to: 1 }), onnx.integers(axes)], { keepdims: 1 });
  return onnx.op('Where', [onnx.op('Greater', [found, onnx.scalar(0, rank)]), onnx.scalar(Number.NaN, rank), reduced]);
}
