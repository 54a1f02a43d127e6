import { add, div, log, log1p, mul, neg, type Scalar, softplus, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';

/** Adds terms up. */
export const sumOf = (first: Tensor, ...rest: readonly Tensor[]): Scalar => rest.reduce<Tensor>((a, b) => add(a, b), first) as Scalar;

/** Σ log N(x | 0, scale), without constants. */
export const normal = (x: Tensor, scale = 1): Scalar => mul(-0.5 / scale ** 2, sum(square(x)));

/** Σ log N(residuals | 0, sigma), one sigma for all, without constants. */
export const noise = (residuals: Tensor, sigma: Tensor): Scalar =>
  sub(div(mul(-0.5, sum(square(residuals))), square(sigma)), mul(residuals.size, log(sigma)));

/** log Cauchy(x | 0, scale), without constants. */
export const cauchy = (x: Tensor, scale: number): Tensor => neg(log1p(square(div(x, scale))));

/** log(exp a + exp b), elementwise, from one exponential that does not overflow. */
export const logAddExp = (a: Tensor, b: Tensor): Tensor => add(a, softplus(sub(b, a)));
