import { jsRuntime } from '@bpc/compiler';
import { ConfigError, foldIn, key, NonFiniteError, ShapeError } from '@bpc/core';
import { hostAlgorithmConformance } from '@bpc/core/testing';
import { denseMetric, diagonalMetric, type NutsKernel, nuts, nutsKernel, unitMetric } from '@bpc/samplers';
import { scalar } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cliff, funnel, gaussian, type HandWritten, later, logExponential } from './support/flat-densities.js';

const options = { density: funnel, stepSize: 0.5 };
const position = () => Float64Array.of(0.3, -0.2);

hostAlgorithmConformance({ name: 'nuts', algorithm: nuts(options), position, it });
hostAlgorithmConformance({ name: 'nuts on a density of promises', algorithm: nuts({ ...options, density: later(funnel) }), position, it });
hostAlgorithmConformance({
  name: 'nuts with a dense metric',
  algorithm: nuts({ ...options, metric: denseMetric([1, 0.3, 0.3, 2], 2), temperature: 0.5, maxDepth: 4 }),
  position,
  it,
});

/** Runs `body` while a program is traced. */
async function whileTracing(body: () => void): Promise<void> {
  const runtime = jsRuntime();
  await runtime
    .compile(() => {
      body();
      return scalar(0);
    })
    .prepare();
}

/** Draws of a kernel, and what it says about each. */
async function run(kernel: NutsKernel, start: Float64Array, count: number, seed = 1) {
  await kernel.start(start);
  const draws: number[][] = [];
  const infos: (typeof kernel.info)[] = [];
  for (let i = 0; i < count; i++) {
    await kernel.transition(foldIn(key(seed), i));
    draws.push([...kernel.position]);
    infos.push({ ...kernel.info });
  }
  return { draws, infos };
}

const withStep = (kernel: NutsKernel, stepSize: number): NutsKernel => {
  kernel.stepSize = stepSize;
  return kernel;
};

describe('nuts', () => {
  it('draws the same bits from densities that answer now and later, as algorithm and as kernel', async () => {
    const now = await run(withStep(nutsKernel({ density: funnel }), 0.5), position(), 50);
    const then = await run(withStep(nutsKernel({ density: later(funnel) }), 0.5), position(), 50);
    expect(then).toEqual(now);
    const sampler = nuts(options);
    let state = await sampler.init(position(), key(0));
    for (let i = 0; i < 50; i++) {
      const [next, info] = await sampler.step(foldIn(key(1), i), state);
      expect([[...next.position], info]).toEqual([now.draws[i], now.infos[i]]);
      state = next;
    }
  });

  it('gives no promise unless the density does', () => {
    const kernel = withStep(nutsKernel({ density: funnel }), 0.5);
    expect([kernel.start(position()), kernel.transition(key(1)), typeof kernel.initialStepSize(key(2))]).toEqual([
      undefined,
      undefined,
      'number',
    ]);
    expect(nuts(options).init(position(), key(0))).not.toBeInstanceOf(Promise);
    expect(nutsKernel({ density: later(funnel) }).start(position())).toBeInstanceOf(Promise);
  });

  it('draws with a dense metric what it draws with the equal diagonal one', async () => {
    const [diagonal, dense] = [diagonalMetric([0.7, 2]), denseMetric([0.7, 0, 0, 2], 2)].map((metric) => {
      const kernel = withStep(nutsKernel({ density: funnel }), 0.4);
      kernel.metric = metric;
      return kernel;
    });
    const [a, b] = [await run(diagonal!, position(), 20), await run(dense!, position(), 20)];
    a.draws.forEach((draw, i) => draw.forEach((x, j) => expect(Math.abs(x - b.draws[i]![j]!)).toBeLessThan(1e-12)));
  });

  it('draws in a scaled space what it draws with the scale as metric', async () => {
    // q = L y: sampling q with metric L Lᵀ is sampling y with none.
    const factor = denseMetric([2, 0.8, 0.8, 1], 2).factor;
    const forward = (y: ArrayLike<number>) => Float64Array.of(factor[0]! * y[0]!, factor[2]! * y[0]! + factor[3]! * y[1]!);
    const scaled: HandWritten = {
      size: 2,
      evaluate(y, gradient) {
        const g = new Float64Array(2);
        const value = funnel.evaluate(forward(y), g);
        gradient[0] = factor[0]! * g[0]! + factor[2]! * g[1]!;
        gradient[1] = factor[3]! * g[1]!;
        return value;
      },
    };
    const kernel = withStep(nutsKernel({ density: funnel }), 0.4);
    kernel.metric = denseMetric([2, 0.8, 0.8, 1], 2);
    const start = [0.2, 0.1];
    const a = await run(kernel, forward(start), 20);
    const b = await run(withStep(nutsKernel({ density: scaled }), 0.4), Float64Array.from(start), 20);
    a.draws.forEach((draw, i) => forward(b.draws[i]!).forEach((x, j) => expect(Math.abs(x - draw[j]!)).toBeLessThan(1e-10)));
  });

  it('at temperature T samples the density to the power 1/T', async () => {
    const cold: HandWritten = {
      size: 1,
      evaluate(q, gradient) {
        const value = logExponential.evaluate(q, gradient) / 0.2;
        gradient[0] = gradient[0]! / 0.2;
        return value;
      },
    };
    const a = await run(withStep(nutsKernel({ density: logExponential, temperature: 0.2 }), 0.4), Float64Array.of(0.1), 30);
    const b = await run(withStep(nutsKernel({ density: cold }), 0.4), Float64Array.of(0.1), 30);
    a.draws.forEach((draw, i) => expect(draw[0]).toBeCloseTo(b.draws[i]![0]!, 10));
    // What it reports is the density that it was given.
    a.infos.forEach(({ logDensity }, i) =>
      expect(logDensity).toBeCloseTo(logExponential.evaluate(Float64Array.from(a.draws[i]!), new Float64Array(1)), 12),
    );
  });

  it('takes 2^depth − 1 gradients where nothing turns, and says that the depth was reached', async () => {
    const flat = gaussian([1e-12], [0]);
    for (const maxDepth of [1, 3, 6]) {
      let evaluations = 0;
      const counted: HandWritten = {
        size: 1,
        evaluate(q, gradient) {
          evaluations++;
          return flat.evaluate(q, gradient);
        },
      };
      const { infos } = await run(withStep(nutsKernel({ density: counted, maxDepth }), 0.1), Float64Array.of(0), 5);
      infos.forEach((info) => {
        expect(info).toMatchObject({ depth: maxDepth, leapfrogSteps: 2 ** maxDepth - 1, maxDepthReached: true, divergent: false });
        expect(info.acceptance).toBeCloseTo(1, 10);
      });
      expect(evaluations).toBe(1 + 5 * (2 ** maxDepth - 1));
    }
  });

  it('reports the energy, density and gradient of its draws', async () => {
    const kernel = withStep(nutsKernel({ density: funnel }), 0.5);
    await kernel.start(position());
    const gradient = new Float64Array(2);
    for (let i = 0; i < 20; i++) {
      kernel.transition(foldIn(key(3), i));
      expect(funnel.evaluate(kernel.position, gradient)).toBe(kernel.logDensity);
      expect(kernel.info.logDensity).toBe(kernel.logDensity);
      expect(kernel.gradient).toEqual(gradient);
      expect(kernel.info.energy).toBeGreaterThanOrEqual(-kernel.logDensity);
      expect(kernel.info.acceptance).toBeGreaterThan(0);
      expect(kernel.info.acceptance).toBeLessThanOrEqual(1);
    }
  });

  it('calls the step into a region without density divergent, says where, and stays within', async () => {
    const kernel = withStep(nutsKernel({ density: cliff(1) }), 0.5);
    await kernel.start(Float64Array.of(0));
    let divergences = 0;
    for (let i = 0; i < 200; i++) {
      kernel.transition(foldIn(key(4), i));
      expect(Math.abs(kernel.position[0]!)).toBeLessThan(1);
      if (!kernel.info.divergent) continue;
      divergences++;
      const { start, end } = kernel.divergence;
      expect(Math.abs(start[0]!)).toBeLessThan(1);
      expect(Math.abs(end[0]!)).toBeGreaterThanOrEqual(1);
    }
    expect(divergences).toBeGreaterThan(20);
  });

  it.each([
    ['NaN', Number.NaN, 0],
    ['+∞', Number.POSITIVE_INFINITY, 0],
    ['a gradient of NaN', 0, Number.NaN],
    ['an infinite gradient', 0, Number.POSITIVE_INFINITY],
  ])('takes %s on the way for a divergence, not an error', async (_, value, slope) => {
    const density: HandWritten = {
      size: 1,
      evaluate(q, gradient) {
        const inside = Math.abs(q[0]!) < 1;
        gradient[0] = inside ? -q[0]! : slope;
        return inside ? -0.5 * q[0]! ** 2 : value;
      },
    };
    const { draws, infos } = await run(withStep(nutsKernel({ density }), 0.5), Float64Array.of(0), 100);
    expect(draws.every(([q]) => Math.abs(q!) < 1)).toBe(true);
    expect(infos.filter(({ divergent }) => divergent).length).toBeGreaterThan(10);
    expect(infos.every(({ acceptance, energy }) => acceptance >= 0 && Number.isFinite(energy))).toBe(true);
  });

  it('counts an energy error beyond the threshold as divergent', async () => {
    const infos = async (divergenceThreshold: number) =>
      (await run(withStep(nutsKernel({ density: gaussian([1], [0]), divergenceThreshold }), 1.8), Float64Array.of(0), 200)).infos;
    expect((await infos(1000)).some(({ divergent }) => divergent)).toBe(false);
    const strict = await infos(0.5);
    expect(strict.some(({ divergent }) => divergent)).toBe(true);
    // The probability of the divergent point counts.
    expect(
      strict.filter(({ divergent, leapfrogSteps }) => divergent && leapfrogSteps === 1).every(({ acceptance }) => acceptance > 0),
    ).toBe(true);
  });

  it('finds its way from a start so improbable that weights overflow', async () => {
    // A thousand standard deviations out, the energy error of a coarse step is thousands of nats.
    const kernel = withStep(nutsKernel({ density: gaussian([1], [0]), divergenceThreshold: Number.POSITIVE_INFINITY }), 0.5);
    const { draws, infos } = await run(kernel, Float64Array.of(1e3), 30);
    expect(infos.every(({ acceptance, energy }) => acceptance >= 0 && acceptance <= 1 && Number.isFinite(energy))).toBe(true);
    expect(Math.abs(draws.at(-1)![0]!)).toBeLessThan(5);
  });

  it('searches a step size whose acceptance is about 0.8, for any scale', async () => {
    for (const scale of [1e-3, 1, 1e3]) {
      const density = gaussian([scale ** -2], [0]);
      const kernel = nutsKernel({ density });
      await kernel.start(Float64Array.of(scale));
      const found = await kernel.initialStepSize(key(5));
      expect(kernel.stepSize).toBe(1);
      expect(found / scale).toBeGreaterThan(0.2);
      expect(found / scale).toBeLessThan(8);
      expect(found).toBe(2 ** Math.round(Math.log2(found)));
      const async = nutsKernel({ density: later(density) });
      await async.start(Float64Array.of(scale));
      expect(await async.initialStepSize(key(5))).toBe(found);
    }
  });

  it('says that a density is flat, or broken, when no step size will do', async () => {
    const level = (value: (q: number) => number): HandWritten => ({
      size: 1,
      evaluate(q, gradient) {
        gradient[0] = 0;
        return value(q[0]!);
      },
    });
    const flat = level(() => 0);
    const spike = level((q) => (q === 0 ? 0 : Number.NaN));
    for (const [density, message] of [
      [flat, /does not fall off/],
      [spike, /not continuous/],
    ] as const) {
      const kernel = nutsKernel({ density });
      await kernel.start(Float64Array.of(0));
      expect(() => kernel.initialStepSize(key(0))).toThrow(NonFiniteError);
      expect(() => kernel.initialStepSize(key(0))).toThrow(message);
    }
  });

  it('refuses options out of their domain', () => {
    const density = funnel;
    for (const stepSize of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => nuts({ density, stepSize })).toThrow(/stepSize is .*expected a finite number > 0/);
      expect(() => withStep(nutsKernel({ density }), stepSize)).toThrow(ConfigError);
    }
    for (const maxDepth of [0, 21, 2.5, Number.NaN])
      expect(() => nutsKernel({ density, maxDepth })).toThrow(/maxDepth is .*integer in \[1, 20\]/);
    for (const divergenceThreshold of [0, -1, Number.NaN]) expect(() => nutsKernel({ density, divergenceThreshold })).toThrow(ConfigError);
    for (const temperature of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => nutsKernel({ density, temperature })).toThrow(ConfigError);
    expect(() => nuts({ density, stepSize: 1, metric: unitMetric(3) })).toThrow(ShapeError);
    expect(() => nutsKernel({ density }).start(new Float64Array(3))).toThrow(ShapeError);
    expect(() => nutsKernel({ density }).restore(new Float64Array(2), new Float64Array(3), 0)).toThrow(ShapeError);
  });

  it('refuses or copes with whatever numbers its options are', () => {
    fc.assert(
      fc.property(
        fc.double(),
        fc.double(),
        fc.double(),
        fc.oneof(fc.integer(), fc.integer({ min: 1, max: 5 })),
        (stepSize, temperature, threshold, depth) => {
          try {
            const kernel = nutsKernel({ density: funnel, temperature, divergenceThreshold: threshold, maxDepth: Math.min(depth, 5) });
            kernel.stepSize = stepSize;
            kernel.start(position());
            for (let i = 0; i < 3; i++) kernel.transition(foldIn(key(6), i));
            expect([...kernel.position, kernel.logDensity, kernel.info.acceptance].every(Number.isFinite)).toBe(true);
          } catch (error) {
            expect(error instanceof ConfigError || (error instanceof NonFiniteError && temperature < 1e-300)).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('does not start where density or gradient are not finite, and can be moved away', async () => {
    const density = cliff(1);
    expect(() => nuts({ density, stepSize: 1 }).init(Float64Array.of(2), key(0))).toThrow(NonFiniteError);
    await expect(async () => nuts({ density: later(density), stepSize: 1 }).init(Float64Array.of(2), key(0))).rejects.toThrow(
      NonFiniteError,
    );
    const kernel = nutsKernel({ density });
    expect(() => kernel.transition(key(0))).toThrow(NonFiniteError);
    kernel.start(Float64Array.of(2));
    expect(kernel.logDensity).toBe(Number.NEGATIVE_INFINITY);
    expect(() => kernel.transition(key(0))).toThrow(NonFiniteError);
    kernel.start(Float64Array.of(0.5));
    kernel.transition(key(0));
    expect(kernel.info.leapfrogSteps).toBeGreaterThan(0);
  });

  it.each([
    ['throws', false],
    ['rejects', true],
  ])('is as before after a density %s', async (_, promised) => {
    let broken = false;
    const failing: HandWritten = {
      size: 2,
      evaluate(q, gradient) {
        if (broken) throw new Error('out of order');
        return funnel.evaluate(q, gradient);
      },
    };
    const kernel = withStep(nutsKernel({ density: promised ? later(failing) : failing }), 0.5);
    await kernel.start(position());
    await kernel.transition(key(1));
    const before = [...kernel.position];
    broken = true;
    await expect(async () => kernel.transition(key(2))).rejects.toThrow('out of order');
    expect([...kernel.position]).toEqual(before);
    broken = false;
    const sound = withStep(nutsKernel({ density: funnel }), 0.5);
    await sound.start(Float64Array.from(before));
    await Promise.all([kernel.transition(key(2)), sound.transition(key(2))]);
    expect(kernel.position).toEqual(sound.position);
  });

  it('refuses a second call while one waits for a gradient', async () => {
    const kernel = withStep(nutsKernel({ density: later(funnel) }), 0.5);
    const starting = kernel.start(position());
    expect(() => kernel.start(position())).toThrow(ConfigError);
    await starting;
    const moving = kernel.transition(key(1));
    expect(() => kernel.transition(key(2))).toThrow(/still running/);
    expect(() => kernel.initialStepSize(key(2))).toThrow(/still running/);
    expect(() => kernel.restore(position(), position(), 0)).toThrow(/still running/);
    await moving;
    await kernel.transition(key(2));
  });

  it('refuses the key of a program being compiled, and is as before', async () => {
    const kernel = withStep(nutsKernel({ density: funnel }), 0.5);
    kernel.start(position());
    const program = whileTracing(() => kernel.transition(key(1)));
    await expect(program).rejects.toThrow(ConfigError);
    kernel.transition(key(1));
    expect(kernel.info.leapfrogSteps).toBeGreaterThan(0);
  });

  it('keeps taking turns after a step that failed', async () => {
    let broken = true;
    const density = later({
      size: 2,
      evaluate(q, gradient) {
        if (broken) throw new Error('out of order');
        return funnel.evaluate(q, gradient);
      },
    });
    const sampler = nuts({ density, stepSize: 0.5 });
    const first = sampler.init(position(), key(0));
    const second = sampler.init(position(), key(0));
    await expect(first).rejects.toThrow('out of order');
    await expect(second).rejects.toThrow('out of order');
    broken = false;
    const state = await sampler.init(position(), key(0));
    expect([...state.position]).toEqual([...position()]);
  });

  it('changes step size and metric between transitions, with effect on the next', async () => {
    const kernel = withStep(nutsKernel({ density: funnel }), 0.5);
    await run(kernel, position(), 3);
    kernel.metric = diagonalMetric([0.5, 3]);
    kernel.stepSize = 0.2;
    const fresh = withStep(nutsKernel({ density: funnel }), 0.2);
    fresh.metric = diagonalMetric([0.5, 3]);
    kernel.transition(key(8));
    // The search tries other step sizes, and leaves no trace of them.
    kernel.initialStepSize(key(9));
    fresh.restore(kernel.position, kernel.gradient, kernel.logDensity);
    for (const k of [kernel, fresh]) k.transition(key(2));
    expect(kernel.position).toEqual(fresh.position);
    expect(kernel.info).toEqual(fresh.info);
  });
});
