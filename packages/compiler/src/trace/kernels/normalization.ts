import { type Builder, binary, constant, matMul, type Node, reshape, scalar, unary } from '../../ir/index.js';
import { item, sizeOf } from '../../ir/shape.js';
import { kernel, type TraceKernel } from './kernel.js';

type ResponseAttributes = { depthRadius: number; bias: number; alpha: number; beta: number };

/** Sums over the neighbouring channels within `radius`, as a product with a banded matrix. */
function neighbours(g: Builder, x: Node, radius: number): Node {
  const c = item(x.shape, x.shape.length - 1);
  const band = Array.from({ length: c * c }, (_, k) => +(Math.abs(Math.floor(k / c) - (k % c)) <= radius));
  return reshape(g, matMul(g, reshape(g, x, [sizeOf(x.shape) / c, c]), constant(g, band, [c, c])), x.shape);
}

/** bias + α Σ x² over neighbouring channels. */
const energy = (g: Builder, x: Node, { depthRadius, bias, alpha }: ResponseAttributes): Node =>
  binary(g, 'Add', scalar(g, bias), binary(g, 'Mul', scalar(g, alpha), neighbours(g, binary(g, 'Mul', x, x), depthRadius)));

/** Batch normalisation with given statistics, and local response normalisation. */
export const normalizationKernels: readonly TraceKernel[] = [
  kernel<'x' | 'mean' | 'variance', { varianceEpsilon: number }>('FusedBatchNorm', (g, operands, { varianceEpsilon }) => {
    const { x, mean, variance } = operands;
    const { scale, offset } = operands as { readonly scale?: Node; readonly offset?: Node };
    const deviation = unary(g, 'Sqrt', binary(g, 'Add', variance, scalar(g, varianceEpsilon)));
    const factor = binary(g, 'Div', scale ?? scalar(g, 1), deviation);
    const scaled = binary(g, 'Mul', binary(g, 'Sub', x, mean), factor);
    return offset ? binary(g, 'Add', scaled, offset) : scaled;
  }),
  kernel<'x', ResponseAttributes>('LRN', (g, { x }, attributes) =>
    binary(g, 'Mul', x, binary(g, 'Pow', energy(g, x, attributes), scalar(g, -attributes.beta))),
  ),
  kernel<'x' | 'y' | 'dy', ResponseAttributes>('LRNGrad', (g, { x, y, dy }, attributes) => {
    const { alpha, beta, depthRadius } = attributes;
    const sums = energy(g, x, attributes);
    const direct = binary(g, 'Mul', dy, binary(g, 'Pow', sums, scalar(g, -beta)));
    const shares = neighbours(g, binary(g, 'Div', binary(g, 'Mul', dy, y), sums), depthRadius);
    return binary(g, 'Sub', direct, binary(g, 'Mul', scalar(g, 2 * alpha * beta), binary(g, 'Mul', x, shares)));
  }),
];
