import type { Node } from '@bpc/compiler';
import type { OnnxGraph } from '../model/onnx-graph.js';

/** True if no element of the divisor can stop the processor. */
function isHarmless(divisor: Node): boolean {
  const [repeated] = divisor.inputs;
  const source = divisor.op === 'Broadcast' && repeated !== undefined ? repeated : divisor;
  return source.op === 'Const' && Array.from(source.attributes.values).every((value) => value !== 0 && value !== -1);
}

/**
 * Division of int32 by int32, rounded down or towards zero, and the remainder with the divisor's sign.
 *
 * The processor stops the process at a division by 0, and at −2³¹ by −1, whose quotient has no int32. Here a quotient by
 * 0 is 0, as tfjs has it, and one by −1 is the negative, which wraps around.
 */
export function integerDivision(
  onnx: OnnxGraph,
  op: 'FloorDiv' | 'FloorMod' | 'Div',
  [a, b]: readonly [string, string],
  divisor: Node | undefined,
  rank: number,
): string {
  const integer = (value: number) => onnx.scalar(value, rank, 'int32');
  const guard = divisor === undefined || !isHarmless(divisor);
  const is = (value: number) => onnx.op('Equal', [b, integer(value)]);
  const safe = guard ? onnx.op('Where', [onnx.or(is(0), is(-1)), integer(1), b]) : b;
  // By 1, which stands for 0 and −1, there is no remainder.
  if (op === 'FloorMod') return onnx.op('Mod', [a, safe]);
  // Div truncates towards zero; without the remainder it is exact.
  const quotient = onnx.op('Div', [op === 'Div' ? a : onnx.op('Sub', [a, onnx.op('Mod', [a, safe])]), safe]);
  if (!guard) return quotient;
  return onnx.op('Where', [is(-1), onnx.op('Sub', [integer(0), a]), onnx.op('Where', [is(0), integer(0), quotient])]);
}
