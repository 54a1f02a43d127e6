import { type Builder, binary, cast, cumSum, type Node, pad, reverse, slice } from '../../ir/index.js';
import { item } from '../../ir/shape.js';
import { axisOf } from './axes.js';
import { kernel, type TraceKernel } from './kernel.js';

type Attributes = { axis: number; exclusive?: boolean; reverse?: boolean };

const counted = (g: Builder, x: Node): Node => (x.dtype === 'bool' ? cast(g, x, 'int32') : x);

/** `x` moved `by` places along `axis`, ones coming in. */
function shifted(g: Builder, x: Node, axis: number, by: number): Node {
  const rest = x.shape.map((length, i) => (i === axis ? Math.max(0, length - by) : length));
  const kept = slice(
    g,
    x,
    x.shape.map(() => 0),
    rest,
  );
  return pad(
    g,
    kept,
    x.shape.map((length, i): [number, number] => [i === axis ? length - item(rest, i) : 0, 0]),
    1,
  );
}

/** Products of all elements up to each: after the pass with distance d, every element covers the 2d elements that end there. */
function cumulativeProduct(g: Builder, x: Node, axis: number): Node {
  let product = x;
  for (let distance = 1; distance < item(x.shape, axis); distance *= 2)
    product = binary(g, 'Mul', product, shifted(g, product, axis, distance));
  return product;
}

/** Running sums and products. */
export const cumulativeKernels: readonly TraceKernel[] = [
  kernel<'x', Attributes>('Cumsum', (g, { x }, { axis, exclusive = false, reverse: backward = false }) =>
    cumSum(g, counted(g, x), { axis: axisOf(axis, x.shape.length), exclusive, reverse: backward }),
  ),
  kernel<'x', Attributes>('Cumprod', (g, { x }, { axis, exclusive = false, reverse: backward = false }) => {
    const at = axisOf(axis, x.shape.length);
    const turn = (y: Node) => (backward ? reverse(g, y, [at]) : y);
    const product = cumulativeProduct(g, turn(counted(g, x)), at);
    return turn(exclusive ? shifted(g, product, at, 1) : product);
  }),
];
