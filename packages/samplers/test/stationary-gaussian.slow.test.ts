import { foldIn, normal, type Tree, uniform } from '@bpc/core';
import {
  gaussianTarget,
  hmc,
  leapfrog,
  mala,
  metricOf,
  metropolis,
  minibatchLogDensity,
  psgld,
  sghmc,
  sgld,
  ula,
  underdampedLangevin,
} from '@bpc/samplers';
import {
  add,
  cast,
  floor,
  gather,
  mul,
  neg,
  onesLike,
  type Scalar,
  scalar,
  square,
  sub,
  sum,
  type Tensor,
  tensor1d,
} from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { CHAINS, check, many, normalAbove, one, type Sampler } from './support/stationary-check.js';
import { lyapunov, type Matrix2, product, transposed } from './support/stationary-law.js';

const gaussian = (precision: number) => (x: Tensor) => mul(sum(square(x)), -precision / 2) as Scalar;
describe('on a Gaussian, where the law of the discretised chain is known', () => {
  const settings = [
    [1, 1, 0.4],
    [4, 0.01, 0.3],
    [25, 2, 0.05],
  ] as const;

  it.each(settings)('ula has variance T/a · 1/(1 − λa/2): a = %s, T = %s, λ = %s', async (a, temperature, stepSize) => {
    const variance = temperature / a / (1 - (stepSize * a) / 2);
    check('ula', await many(ula({ logDensity: gaussian(a), stepSize, temperature })), { mean: 0, variance }, normalAbove(0, variance));
  });

  it('and that test rejects noise that is off by √2', async () => {
    const [a, stepSize] = [4, 0.3];
    const variance = 1 / a / (1 - (stepSize * a) / 2);
    for (const temperature of [2, 0.5]) {
      const chains = await many(sgld({ logDensity: gaussian(a), stepSize, temperature }));
      expect(() => check('sgld', chains, { mean: 0, variance }, normalAbove(0, variance))).toThrow(/is not stationary: variance/);
    }
  });

  it('sgld with gradient noise of variance v has variance (2T + λv)/(2a − λa²)', async () => {
    const [a, temperature, stepSize, v] = [2, 0.8, 0.2, 9];
    const noisy = (x: Tensor, noise?: Tree) => add(gaussian(a)(x), mul(sum(mul(x, noise as Tensor)), Math.sqrt(v))) as Scalar;
    const own = sgld({ logDensity: noisy, stepSize, temperature });
    const sampler: Sampler<ReturnType<typeof own.init>> = {
      init: own.init,
      step: (k, state) => own.step(foldIn(k, 0), state, normal(foldIn(k, 1), [CHAINS])),
    };
    const variance = (2 * temperature + stepSize * v) / (2 * a - stepSize * a * a);
    check('sgld', await many(sampler), { mean: 0, variance }, normalAbove(0, variance));
  });

  it('sgld on mini-batches has the variance of its gradient’s noise, N²/B times the spread of the data', async () => {
    const data = tensor1d([-1, 0.5, 2, 4.5, 1, -0.25]);
    const values = [...data.dataSync()];
    const [n, batch, stepSize] = [values.length, 2, 0.05];
    const logDensity = minibatchLogDensity({
      logPrior: (x: Tensor) => mul(sum(square(x)), -0.5),
      logLikelihood: (x: Tensor, points: Tensor) => mul(square(sub(points, x)), -0.5),
      size: n,
    });
    const own = sgld({ logDensity, stepSize });
    const sampler: Sampler<ReturnType<typeof own.init>> = {
      init: own.init,
      step: (k, state) => own.step(foldIn(k, 0), state, gather(data, cast(floor(mul(uniform(foldIn(k, 1), [batch]), n)), 'int32'))),
    };
    const average = values.reduce((x, y) => x + y, 0) / n;
    const spread = values.reduce((x, y) => x + (y - average) ** 2, 0) / n;
    const a = 1 + n;
    const [v, mean] = [(n * n * spread) / batch, (n * average) / a];
    const chains = await one(sampler, 1, { position: scalar(0), thin: 6 });
    check('sgld', chains, { mean, variance: (2 + stepSize * v) / (2 * a - stepSize * a * a) });
  });

  it.each([
    [1, 1, 0.3, 0.2],
    [4, 0.01, 0.4, 0.5],
    [25, 3, 0.1, 0.1],
  ])('sghmc solves the Lyapunov equation of its map: a = %s, T = %s, ε = %s, α = %s', async (a, temperature, stepSize, friction) => {
    // z = (θ, p): p ← (1 − α)p − εaθ + √(2αT)ξ, then θ ← θ + εp.
    const kick: Matrix2 = [
      [1, 0],
      [-stepSize * a, 1 - friction],
    ];
    const drift: Matrix2 = [
      [1, stepSize],
      [0, 1],
    ];
    const noise: Matrix2 = [
      [0, 0],
      [0, 2 * friction * temperature],
    ];
    const sigma = lyapunov(product(drift, kick), product(product(drift, noise), transposed(drift)));
    const sampler = sghmc({ logDensity: gaussian(a), stepSize, momentumDecay: friction, temperature });
    const both = await many(sampler, { record: ({ position, momentum }) => [position, momentum], thin: 30 });
    check('sghmc', both.slice(0, CHAINS), { mean: 0, variance: sigma[0][0] }, normalAbove(0, sigma[0][0]));
    check('sghmc momentum', both.slice(CHAINS), { mean: 0, variance: sigma[1][1] });
  });

  it('sghmc that is told the noise of its gradient has the law without it', async () => {
    const [a, temperature, stepSize, friction, v] = [2, 1, 0.3, 0.4, 3];
    const noisy = (x: Tensor, noise?: Tree) => add(gaussian(a)(x), mul(sum(mul(x, noise as Tensor)), Math.sqrt(v))) as Scalar;
    const sampler = (gradientNoise: number): Sampler<ReturnType<typeof own.init>> => {
      const told = sghmc({ logDensity: noisy, stepSize, momentumDecay: friction, temperature, gradientNoise });
      return { init: told.init, step: (k, state) => told.step(foldIn(k, 0), state, normal(foldIn(k, 1), [CHAINS])) };
    };
    const own = sghmc({ logDensity: noisy, stepSize, momentumDecay: friction, temperature });
    const drift: Matrix2 = [
      [1, stepSize],
      [0, 1],
    ];
    const noise: Matrix2 = [
      [0, 0],
      [0, 2 * friction * temperature],
    ];
    const sigma = lyapunov(
      product(drift, [
        [1, 0],
        [-stepSize * a, 1 - friction],
      ]),
      product(product(drift, noise), transposed(drift)),
    );
    const law = { mean: 0, variance: sigma[0][0] };
    check('sghmc', await many(sampler((stepSize ** 2 * v) / (2 * temperature))), law);
    const untold = await many(sampler(0));
    expect(() => check('sghmc', untold, law)).toThrow(/is not stationary: variance/);
  });

  it.each([
    [1, 1, 0.5, 1],
    [4, 0.01, 0.7, 2],
    [25, 3, 0.3, 0.5],
  ])(
    'underdampedLangevin solves the Lyapunov equation of BAOAB: a = %s, T = %s, ε = %s, γ = %s',
    async (a, temperature, stepSize, friction) => {
      const kept = Math.exp(-friction * stepSize);
      const kick: Matrix2 = [
        [1, 0],
        [(-stepSize / 2) * a, 1],
      ];
      const drift: Matrix2 = [
        [1, stepSize / 2],
        [0, 1],
      ];
      const fade: Matrix2 = [
        [1, 0],
        [0, kept],
      ];
      const noise: Matrix2 = [
        [0, 0],
        [0, temperature * (1 - kept ** 2)],
      ];
      const [before, after] = [product(drift, kick), product(kick, drift)];
      const sigma = lyapunov(product(product(after, fade), before), product(product(after, noise), transposed(after)));
      // What is known of BAOAB on a Gaussian, and checks the equation.
      expect(sigma[0][0]).toBeCloseTo(temperature / a, 10);
      const sampler = underdampedLangevin({ logDensity: gaussian(a), stepSize, friction, temperature });
      const both = await many(sampler, { record: ({ position, momentum }) => [position, momentum] });
      check('position', both.slice(0, CHAINS), { mean: 0, variance: sigma[0][0] }, normalAbove(0, sigma[0][0]));
      check('momentum', both.slice(CHAINS), { mean: 0, variance: sigma[1][1] });
    },
  );

  it('underdampedLangevin with a mass has the same positions', async () => {
    const law = gaussianTarget({
      mean: [0, 0],
      covariance: [
        [1, 0.8],
        [0.8, 2],
      ],
    });
    const inverseMass = tensor1d([1, 2]);
    const sampler = underdampedLangevin({ logDensity: (x: Tensor) => law.logDensity({ x }, {}), stepSize: 0.5, inverseMass });
    const chains = await one(sampler, 2, { thin: 3 });
    chains.forEach((chain, i) => check(`x[${i}]`, [chain], { mean: 0, variance: law.moments.variance[i]! }));
  });

  it('psgld whose preconditioner never changes is ula with the step λG', async () => {
    const [a, temperature, stepSize, floor_, root] = [2, 0.7, 0.5, 0.25, 0.75];
    const own = psgld({ logDensity: gaussian(a), stepSize, temperature, decay: 1, floor: floor_ });
    const sampler: Sampler<ReturnType<typeof own.init>> = {
      init: (position, k) => ({ ...own.init(position, k), squares: mul(onesLike(position), root ** 2) }),
      step: own.step,
    };
    const variance = temperature / a / (1 - (stepSize * a) / (2 * (floor_ + root)));
    check('psgld', await many(sampler), { mean: 0, variance }, normalAbove(0, variance));
  });

  const law = gaussianTarget({ mean: [1, -1, 0.5], precision: [1, 4, 25] });
  const temperature = 0.01;
  const exact: readonly (readonly [string, () => Promise<Float64Array[]>])[] = [
    ['mala', () => one(mala({ logDensity: (x: Tensor) => law.logDensity({ x }, {}), stepSize: 0.05, temperature }), 3, { thin: 12 })],
    [
      'hmc',
      () =>
        one(hmc({ logDensity: (x: Tensor) => law.logDensity({ x }, {}), stepSize: 0.2, leapfrogSteps: 5, temperature }), 3, { thin: 2 }),
    ],
    [
      'hmc of random length, with a mass',
      () =>
        one(
          hmc({
            logDensity: (x: Tensor) => law.logDensity({ x }, {}),
            stepSize: 0.8,
            leapfrogSteps: [1, 4],
            stepSizeJitter: 0.5,
            temperature,
            inverseMass: tensor1d([1, 0.25, 0.05]),
          }),
          3,
        ),
    ],
  ];
  it.each(exact)('%s has exactly the law of the target at temperature 0.01', async (name, run) => {
    (await run()).forEach((chain, i) => {
      const [mean, variance] = [law.moments.mean[i]!, temperature * law.moments.variance[i]!];
      check(`${name} x[${i}]`, [chain], { mean, variance }, normalAbove(mean, variance));
    });
  });

  it('and that test rejects hmc whose kinetic energy has the wrong sign', async () => {
    const stepSize = scalar(0.25) as Scalar;
    const logDensity = (x: Tensor) => law.logDensity({ x }, {});
    const sound = hmc({ logDensity, stepSize: 0.25, leapfrogSteps: 6, temperature });
    const flipped: Sampler<ReturnType<typeof sound.init>> = {
      init: sound.init,
      step(k, state) {
        const momentum = mul(normal(foldIn(k, 0), [3]), Math.sqrt(temperature));
        const start = { position: state.position, momentum, logDensity: state.logDensity, gradient: state.gradient };
        const end = leapfrog(start, { logDensity, stepSize, metric: metricOf(state.inverseMass, momentum), most: 6 });
        // H = U − ½‖p‖² instead of U + ½‖p‖².
        const energy = (point: typeof start) => sub(neg(point.logDensity), mul(sum(square(point.momentum)), 0.5));
        const { state: next } = metropolis({
          current: { position: state.position, logDensity: state.logDensity, gradient: state.gradient },
          proposed: { position: end.position, logDensity: end.logDensity, gradient: end.gradient },
          logRatio: mul(sub(energy(start), energy(end)), 1 / temperature) as Scalar,
          logDensity: end.logDensity,
          uniform: uniform(foldIn(k, 1), []) as Scalar,
        });
        return [{ ...next, stepSize: state.stepSize, inverseMass: state.inverseMass }, []];
      },
    };
    const chains = await one(flipped, 3, { thin: 4 });
    const verdict = () =>
      chains.forEach((chain, i) =>
        check(`x[${i}]`, [chain], { mean: law.moments.mean[i]!, variance: temperature * law.moments.variance[i]! }),
      );
    expect(verdict).toThrow(/is not stationary/);
  });
});
