import { jsRuntime } from '@bpc/compiler';
import { key } from '@bpc/core';
import { type Draws, positive, real, sample, target } from '@bpc/samplers';
import { add, div, exp, log, mul, neg, type Scalar, square, sub, sum } from '@tensorflow/tfjs-core';

const eightSchools = target({
  parameters: { mu: real(), tau: positive(), z: real([8]) },
  data: { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] },
  logDensity({ mu, tau, z }, { y, sigma }) {
    const likelihood = sum(square(div(sub(y, add(mu, mul(tau, z))), sigma)));
    // mu ~ N(0, 5), tau ~ half-Cauchy(0, 5), z ~ N(0, 1)
    const prior = add(sum(square(z)), square(div(mu, 5)));
    return sub(mul(add(likelihood, prior), -0.5), log(add(1, square(div(tau, 5))))) as Scalar;
  },
  derived: ({ mu, tau, z }, { y, sigma }) => {
    const theta = add(mu, mul(tau, z));
    return { theta, logLikelihood: sub(mul(square(div(sub(y, theta), sigma)), -0.5), log(sigma)) };
  },
});

const matrix = target({
  parameters: { weights: real([2, 3]), group: { scale: positive([2]) } },
  logDensity: ({ weights, group: { scale } }) => sub(mul(sum(square(weights)), -0.5), sum(scale)) as Scalar,
});

/** v ~ N(0, 3), x_k ~ N(0, exp(v/2)): the integrator diverges in its neck. */
const funnel = target({
  parameters: { v: real(), x: real([4]) },
  logDensity: ({ v, x }) => sub(sub(mul(square(div(v, 3)), -0.5), mul(mul(sum(square(x)), exp(neg(v))), 0.5)), mul(v, 2)) as Scalar,
});

/** Draws that exercise what files and diagnostics distinguish. */
export const arvizCases = {
  'eight schools, with log likelihood': () => drawn({ ...eightSchools, key: key(1) }),
  'matrix, thinned, odd length, with warm-up': () =>
    drawn({ ...matrix, key: key(2), chains: 3, warmup: 200, draws: 301, thin: 2, keepWarmup: true }),
  'funnel, with divergences': () => drawn({ ...funnel, key: key(3), targetAcceptance: 0.6, metric: 'dense' }),
} as const;

async function drawn(options: Parameters<typeof sample>[0]): Promise<Draws> {
  const runtime = jsRuntime();
  try {
    return await sample({ ...options, runtime }).collect();
  } finally {
    await runtime.dispose();
  }
}
