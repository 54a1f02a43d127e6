import type { Node, Window } from '@bpc/compiler';
import { stridesOf, unravel } from '../src/ir/shape.js';

type Windowed = Extract<Node, { attributes: Window }>;
type Four = [number, number, number, number];

const OPS = ['Conv', 'ConvInputGrad', 'ConvFilterGrad', 'AvgPool', 'AvgPoolGrad', 'MaxPool', 'MaxPoolGrad', 'MaxPoolGather'];
export const isWindowed = (node: Node): node is Windowed => OPS.includes(node.op);

/** Pixels [row, column] of an image that the window at output pixel (i, j) sees, with their taps. */
function taps({ kernel, strides, dilations, padding }: Window, [, h, w]: Four, i: number, j: number) {
  return Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => {
    const [u, v] = [Math.floor(tap / kernel[1]), tap % kernel[1]];
    return { tap, row: i * strides[0] - padding[0] + u * dilations[0], column: j * strides[1] - padding[1] + v * dilations[1] };
  }).filter(({ row, column }) => row >= 0 && row < h && column >= 0 && column < w);
}

const position = (shape: readonly number[], index: readonly number[]) => {
  const strides = stridesOf(shape);
  return index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0);
};

/** A convolution, a pooling or one of their gradients, as a sum over output pixels and taps. */
export function windowedValues(node: Windowed, first: number[], second: number[]): number[] {
  const window = node.attributes;
  const shapes = node.inputs.map((x) => x.shape as Four);
  const image = (['ConvInputGrad', 'AvgPoolGrad', 'MaxPoolGrad'].includes(node.op) ? node.shape : shapes[0]) as Four;
  const output = (
    node.op === 'Conv' || node.op === 'AvgPool' || node.op === 'MaxPool' || node.op === 'MaxPoolGather'
      ? node.shape
      : node.op === 'ConvFilterGrad'
        ? shapes[1]
        : shapes[0]
  ) as Four;
  const result = new Array<number>(node.shape.reduce((a, b) => a * b, 1)).fill(node.op === 'MaxPool' ? Number.NEGATIVE_INFINITY : 0);
  const add = (index: number, value: number) => {
    result[index]! += value;
  };
  const filter = (node.op === 'ConvFilterGrad' ? node.shape : shapes[1]) as Four;
  for (let k = 0; k < output.reduce((a, b) => a * b, 1); k++) {
    const [b, i, j, o] = unravel(k, output) as Four;
    const seen = taps(window, image, i, j);
    const at = (channel: number, { row, column }: { row: number; column: number }) => position(image, [b, row, column, channel]);
    const values = node.op === 'MaxPoolGrad' || node.op === 'MaxPoolGather' ? second : first;
    const best = () => seen.map((tap) => at(o, tap)).reduce((most, p) => (values[p]! > values[most]! ? p : most));
    for (const tap of seen) {
      for (let c = 0; node.op.startsWith('Conv') && c < image[3]; c++) {
        const weight = (tap.tap * filter[2] + c) * filter[3] + o;
        if (node.op === 'Conv') add(k, first[at(c, tap)]! * second[weight]!);
        if (node.op === 'ConvInputGrad') add(at(c, tap), first[k]! * second[weight]!);
        if (node.op === 'ConvFilterGrad') add(weight, first[at(c, tap)]! * second[k]!);
      }
      if (node.op === 'AvgPool') add(k, first[at(o, tap)]! / seen.length);
      if (node.op === 'AvgPoolGrad') add(at(o, tap), first[k]! / seen.length);
      if (node.op === 'MaxPool') result[k] = Math.max(result[k]!, first[at(o, tap)]!);
    }
    if (node.op === 'MaxPoolGrad' && seen.length > 0) add(best(), first[k]!);
    if (node.op === 'MaxPoolGather' && seen.length > 0) result[k] = first[best()]!;
  }
  return result;
}
