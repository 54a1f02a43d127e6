import { hmc, mala, positive, psgld, sghmc, skewedTarget, target, ula, unconstrainedDensity, underdampedLangevin } from '@bpc/samplers';
import { exp, log, mul, type Scalar, scalar, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { check, many, one } from './support/stationary-check.js';
import { lineLaw, lyapunov, type Matrix2, phaseLaw, product, transposed } from './support/stationary-law.js';

/** Logarithms of gamma variables of shape a, as `skewedTarget`. */
const shape = 2;
const skewed = (x: Tensor) => sum(sub(mul(x, shape), exp(x))) as Scalar;
const slope = (x: number) => shape - Math.exp(x);
const window = { low: -11, high: 4 };

describe('on a skewed target, where the law is found by quadrature of the kernel', () => {
  const exactLaw = skewedTarget({ shape }).moments;
  const truth = { mean: exactLaw.mean[0]!, variance: exactLaw.variance[0]! };

  it.each([
    [0.15, 1],
    [0.3, 0.5],
  ])('ula at λ = %s, T = %s', async (stepSize, temperature) => {
    const law = lineLaw({ drift: (x) => x + stepSize * slope(x), spread: () => Math.sqrt(2 * stepSize * temperature), ...window });
    check('ula', await many(ula({ logDensity: skewed, stepSize, temperature }), { thin: 30 }), law, law.above);
  });

  it('ula, whose bias the test sees: its law is not the target’s', async () => {
    const chains = await many(ula({ logDensity: skewed, stepSize: 0.15 }), { thin: 30 });
    expect(() => check('ula', chains, truth)).toThrow(/is not stationary/);
  });

  /** Where psgld with α = 0 goes from x: G = 1/(δ + |g|), whose derivative Γ = −G² sign(g)·g'. */
  const psgldKernel = (stepSize: number, temperature: number, bound: number, correction: 'none' | 'exact') => {
    const scale = (x: number) => 1 / (bound + Math.abs(slope(x)));
    const gamma = (x: number) => (correction === 'none' ? 0 : scale(x) ** 2 * Math.sign(slope(x)) * Math.exp(x));
    return {
      drift: (x: number) => x + stepSize * (scale(x) * slope(x) + temperature * gamma(x)),
      spread: (x: number) => Math.sqrt(2 * stepSize * temperature * scale(x)),
    };
  };

  it.each(['none', 'exact'] as const)('psgld that forgets at once, with the correction %s', async (correction) => {
    const [stepSize, temperature, bound] = [0.25, 0.8, 0.6];
    const law = lineLaw({ ...psgldKernel(stepSize, temperature, bound, correction), ...window, count: 1600 });
    const sampler = psgld({ logDensity: skewed, stepSize, temperature, decay: 0, floor: bound, correction });
    check('psgld', await many(sampler, { thin: 60 }), law, law.above);
  });

  it('psgld’s correction takes its bias away: small steps have the target’s law with it, and another without', () => {
    const varianceAt = (stepSize: number, correction: 'none' | 'exact') =>
      lineLaw({ ...psgldKernel(stepSize, 1, 0.6, correction), low: -9, high: 3.2, count: 700 }).variance;
    // The bias of first order, extrapolated to steps of size 0.
    const limit = (correction: 'none' | 'exact') => 2 * varianceAt(0.04, correction) - varianceAt(0.08, correction);
    expect(Math.abs(limit('exact') / truth.variance - 1)).toBeLessThan(0.05);
    expect(limit('none') / truth.variance - 1).toBeGreaterThan(0.4);
  });

  it('sghmc', async () => {
    const [stepSize, friction, temperature] = [0.3, 0.4, 1];
    const law = phaseLaw({
      ...window,
      momentum: 6,
      parts: ({ drift, kick, renew }) => [
        // p ← (1 − α)p + ε g + noise: noise and kick commute.
        renew(1 - friction, Math.sqrt(2 * friction * temperature)),
        kick(stepSize, slope),
        drift(stepSize),
      ],
    });
    check('sghmc', await many(sghmc({ logDensity: skewed, stepSize, momentumDecay: friction, temperature }), { thin: 25 }), law, law.above);
  });

  it('underdampedLangevin', async () => {
    const [stepSize, friction, temperature] = [0.5, 1, 1];
    const kept = Math.exp(-friction * stepSize);
    const half = stepSize / 2;
    const law = phaseLaw({
      ...window,
      momentum: 9,
      parts: ({ drift, kick, renew }) => [
        kick(half, slope),
        drift(half),
        renew(kept, Math.sqrt(temperature * (1 - kept ** 2))),
        drift(half),
        kick(half, slope),
      ],
    });
    check('underdampedLangevin', await many(underdampedLangevin({ logDensity: skewed, stepSize, friction, temperature })), law, law.above);
  });

  it('the quadrature in phase space solves the Lyapunov equation on a Gaussian', () => {
    const [stepSize, friction] = [0.4, 0.3];
    const law = phaseLaw({
      low: -7,
      high: 7,
      momentum: 7,
      parts: ({ drift, kick, renew }) => [renew(1 - friction, Math.sqrt(2 * friction)), kick(stepSize, (x) => -x), drift(stepSize)],
    });
    const drift: Matrix2 = [
      [1, stepSize],
      [0, 1],
    ];
    const noise: Matrix2 = [
      [0, 0],
      [0, 2 * friction],
    ];
    const sigma = lyapunov(
      product(drift, [
        [1, 0],
        [-stepSize, 1 - friction],
      ]),
      product(product(drift, noise), transposed(drift)),
    );
    expect(law.variance / sigma[0][0]).toBeCloseTo(1, 3);
    expect(law.mean).toBeCloseTo(0, 6);
  });

  it.each([
    ['mala', () => one(mala({ logDensity: skewed, stepSize: 0.6 }), 1, { thin: 8 })],
    ['hmc', () => one(hmc({ logDensity: skewed, stepSize: 0.7, leapfrogSteps: 3 }), 1, { thin: 3 })],
    [
      'hmc of random length',
      () => one(hmc({ logDensity: skewed, stepSize: 0.7, leapfrogSteps: [1, 5], stepSizeJitter: 0.4 }), 1, { thin: 3 }),
    ],
  ] as const)('%s has exactly the law of the target', async (name, run) => {
    check(name, await run(), truth);
  });

  describe('of a positive parameter', () => {
    // Gamma of shape 3 on σ > 0; its logarithm is log-gamma of shape 3.
    const model = target({ parameters: positive(), logDensity: (sigma) => sum(sub(mul(log(sigma), 2), sigma)) as Scalar });
    const { mean, variance } = skewedTarget({ shape: 3 }).moments;
    const law = { mean: mean[0]!, variance: variance[0]! };
    const options = { stepSize: 0.6, leapfrogSteps: 3, stepSizeJitter: 0.2 };
    const run = (logDensity: (u: Tensor) => Tensor) => one(hmc({ logDensity, ...options }), 1, { position: scalar(0), thin: 2 });

    it('hmc on its unconstrained density has the right law', async () => {
      check('log σ', await run((u) => unconstrainedDensity(model)(u, {})), law);
    });

    it('and that test rejects a density without its Jacobian', async () => {
      const chains = await run((u) => model.logDensity(exp(u), {}));
      expect(() => check('log σ', chains, law)).toThrow(/is not stationary: mean/);
    });
  });
});
