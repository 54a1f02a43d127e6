import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import { add, matMul, mul, neg, pow, reshape, rsqrt, square, sub, tensor2d } from '@tensorflow/tfjs-core';
import { rule, sumTo } from './rule.js';

type Response = { readonly depthRadius: number; readonly bias: number; readonly alpha: number; readonly beta: number };

/** Sums over the neighbouring channels within `radius`: a product with a symmetric banded matrix. */
function neighbours(x: Tensor, radius: number): Tensor {
  const c = x.shape[x.rank - 1] ?? 1;
  const band = Float32Array.from({ length: c * c }, (_, k) => +(Math.abs(Math.floor(k / c) - (k % c)) <= radius));
  return reshape(matMul(reshape(x, [x.size / c, c]), tensor2d(band, [c, c])), x.shape);
}

/** Rules of normalisations that are kernels. */
export const normalizationRules: readonly GradConfig[] = [
  // y = (x − μ)·s·r + offset with r = (σ² + ε)^(−1/2)
  {
    kernelName: 'FusedBatchNorm',
    inputsToSave: ['x', 'mean', 'variance', 'scale'],
    gradFunc: (dys, saved, attributes) => {
      const [dy, [x, mean, variance, scale]] = [dys as Tensor, saved as [Tensor, Tensor, Tensor, Tensor | undefined]];
      const inverse = () => rsqrt(add(variance, Number(attributes['varianceEpsilon'])));
      const scaled = () => (scale == null ? dy : mul(dy, scale));
      const centred = () => sub(x, mean);
      return {
        x: () => mul(scaled(), inverse()),
        mean: () => sumTo(neg(mul(scaled(), inverse())), mean.shape),
        variance: () => {
          const r = inverse();
          return sumTo(mul(mul(scaled(), centred()), mul(-0.5, mul(r, square(r)))), variance.shape);
        },
        scale: () => sumTo(mul(dy, mul(centred(), inverse())), scale?.shape ?? mean.shape),
        offset: () => sumTo(dy, scale?.shape ?? mean.shape),
      };
    },
  },
  // y = x·e^(−β) with e = bias + α Σ x² over neighbours
  rule<Response, 'x'>('LRN', ['x'], (dy, { x }, { depthRadius, bias, alpha, beta }) => ({
    x: () => {
      const energy = add(bias, mul(alpha, neighbours(square(x), depthRadius)));
      const shares = neighbours(mul(mul(dy, x), pow(energy, -beta - 1)), depthRadius);
      return sub(mul(dy, pow(energy, -beta)), mul(2 * alpha * beta, mul(x, shares)));
    },
  })),
];
