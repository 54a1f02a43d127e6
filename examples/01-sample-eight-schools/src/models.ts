import { positive, real, target } from '@bpc/samplers';
import { add, div, log, log1p, mul, square, sub, sum } from '@tensorflow/tfjs-core';

// Effects of coaching on test scores in eight schools, and their standard errors (Rubin 1981).
const data = { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };

/** mu ~ N(0, 5), tau ~ half-Cauchy(5), z ~ N(0, 1), theta = mu + tau·z, y ~ N(theta, sigma). */
export const nonCentred = target({
  parameters: { mu: real(), tau: positive(), z: real([8]) },
  data,
  logDensity({ mu, tau, z }, { y, sigma }) {
    const residuals = div(sub(y, add(mu, mul(tau, z))), sigma);
    const squares = add(add(square(div(mu, 5)), sum(square(z))), sum(square(residuals)));
    return sub(mul(squares, -0.5), log1p(square(div(tau, 5))));
  },
  derived: ({ mu, tau, z }) => ({ theta: add(mu, mul(tau, z)) }),
});

/** The same posterior with theta ~ N(mu, tau) as a parameter: a funnel, whose neck no step size fits. */
export const centred = target({
  parameters: { mu: real(), tau: positive(), theta: real([8]) },
  data,
  logDensity({ mu, tau, theta }, { y, sigma }) {
    const effects = div(sub(theta, mu), tau);
    const residuals = div(sub(y, theta), sigma);
    const squares = add(add(square(div(mu, 5)), sum(square(effects))), sum(square(residuals)));
    return sub(sub(mul(squares, -0.5), mul(log(tau), 8)), log1p(square(div(tau, 5))));
  },
});
