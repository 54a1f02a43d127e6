import './support/backend.js';
import { jsRuntime } from '@bpc/compiler';
import { foldIn, hostNormal, key, type Tree } from '@bpc/core';
import { bananaTarget, hmc, leapfrog, leapfrogStep, mala, metricOf, metropolis, type PhasePoint, underdampedLangevin } from '@bpc/samplers';
import { less, log, mul, neg, type Scalar, scalar, square, sub, sum, type Tensor, tensor1d, tensor2d, where } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

const banana = bananaTarget();
const logDensity = (x: Tensor): Scalar => banana.logDensity({ x }, {});
const energyOf = ({ momentum, logDensity: value }: PhasePoint<Tensor>): Tensor => sub(mul(sum(square(momentum)), 0.5), value);

/** Results of a function of host numbers, computed by the js runtime in float64. */
async function inDouble(fn: (data: { readonly [name: string]: Tensor }) => Tree, data: { readonly [name: string]: number | Float64Array }) {
  const runtime = jsRuntime();
  const mapping = await runtime.mapping(
    (_: { readonly unused: Tensor }, given: { readonly [name: string]: Tensor }) => fn(given),
    { unused: 0 },
    data,
  );
  const out = new Float64Array(mapping.outputSize);
  await mapping.evaluate(Float64Array.of(0), out);
  await runtime.dispose();
  return out;
}

const start = { position: Float64Array.of(1.3, -0.4), momentum: Float64Array.of(0.7, 1.1) };
const pointAt = ({ position, momentum }: { readonly [name: string]: Tensor }): PhasePoint<Tensor> => {
  const { logDensity: value, gradient } = hmc({ logDensity, stepSize: 1, leapfrogSteps: 1 }).init(position!, key(0));
  return { position: position!, momentum: momentum!, logDensity: value, gradient };
};

describe.each([
  ['unit', undefined],
  ['diagonal', () => tensor1d([0.5, 2])],
  [
    'dense',
    () =>
      tensor2d([
        [1, 0.4],
        [0.4, 0.8],
      ]),
  ],
] as const)('leapfrog with a %s mass', (_, mass) => {
  const options = (position: Tensor, stepSize: Scalar) => ({
    logDensity,
    stepSize,
    metric: metricOf(mass?.() ?? tensor1d([1, 1]), position),
  });
  /** H after time 0.8 in `steps` steps, less H at the start. */
  const drift = async (steps: number) => {
    const [error] = await inDouble(
      (given) => {
        const point = pointAt(given);
        return sub(energyOf(leapfrog(point, { ...options(point.position, given['stepSize'] as Scalar), most: steps })), energyOf(point));
      },
      { ...start, stepSize: 0.8 / steps },
    );
    return error!;
  };

  it('retraces its path when the momentum is reversed', async () => {
    const back = await inDouble(
      (given) => {
        const point = pointAt(given);
        const how = { ...options(point.position, given['stepSize'] as Scalar), most: 25 };
        const end = leapfrog(point, how);
        const { position, momentum } = leapfrog({ ...end, momentum: neg(end.momentum) }, how);
        return { position, momentum: neg(momentum) };
      },
      { ...start, stepSize: 0.1 },
    );
    // Canonical order: momentum first.
    [...start.momentum, ...start.position].forEach((value, i) => expect(Math.abs(back[i]! - value)).toBeLessThan(1e-12));
  });

  it('has an energy error of second order in the step size', async () => {
    const [coarse, middle, fine] = [await drift(40), await drift(80), await drift(160)];
    expect(Math.abs(fine)).toBeGreaterThan(1e-9);
    expect(coarse / middle).toBeGreaterThan(3.8);
    expect(coarse / middle).toBeLessThan(4.2);
    expect(middle / fine).toBeGreaterThan(3.9);
    expect(middle / fine).toBeLessThan(4.1);
  });

  it('preserves volume in phase space', async () => {
    const end = (position: Float64Array, momentum: Float64Array) =>
      inDouble(
        (given) => {
          const point = pointAt(given);
          const { position: q, momentum: r } = leapfrog(point, { ...options(point.position, scalar(0.3) as Scalar), most: 4 });
          return { q, r };
        },
        { position, momentum },
      );
    const h = 1e-5;
    const rows: number[][] = [];
    for (let i = 0; i < 4; i++) {
      const shift = (sign: number) => {
        const all = [...start.position, ...start.momentum];
        all[i]! += sign * h;
        return end(Float64Array.from(all.slice(0, 2)), Float64Array.from(all.slice(2)));
      };
      const [plus, minus] = [await shift(1), await shift(-1)];
      rows.push(Array.from(plus, (value, k) => (value - minus[k]!) / (2 * h)));
    }
    expect(Math.abs(determinant(rows) - 1)).toBeLessThan(1e-7);
  });
});

/** By elimination with pivots. */
function determinant(rows: readonly (readonly number[])[]): number {
  const a = rows.map((row) => [...row]);
  let result = 1;
  for (let i = 0; i < a.length; i++) {
    const pivot = a.slice(i).reduce((best, row, k) => (Math.abs(row[i]!) > Math.abs(a[best]![i]!) ? i + k : best), i);
    if (pivot !== i) {
      [a[i], a[pivot]] = [a[pivot]!, a[i]!];
      result = -result;
    }
    result *= a[i]![i]!;
    for (let k = i + 1; k < a.length; k++) {
      const factor = a[k]![i]! / a[i]![i]!;
      for (let j = i; j < a.length; j++) a[k]![j]! -= factor * a[i]![j]!;
    }
  }
  return result;
}

describe('a metric', () => {
  it('L Lᵀ is the dense inverse mass that was given', () => {
    const mass = tensor2d([
      [2, 0.6],
      [0.6, 1],
    ]);
    const { velocity, force } = metricOf(mass, tensor1d([0, 0]) as Tensor);
    for (const vector of [
      [1, 0],
      [0, 1],
      [2, -3],
    ] as const) {
      const found = velocity(force(tensor1d([...vector]))).dataSync();
      [2 * vector[0] + 0.6 * vector[1], 0.6 * vector[0] + vector[1]].forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
    }
  });

  it('a dense mass with nothing beside its diagonal moves like the diagonal one', () => {
    const options = { logDensity, stepSize: 0.2, leapfrogSteps: 5 };
    const run = (inverseMass: Tensor) => {
      const { init, step } = hmc({ ...options, inverseMass });
      return [...step(key(2), init(tensor1d([1, 0]) as Tensor, key(0)))[0].position.dataSync()];
    };
    const dense = run(
      tensor2d([
        [0.5, 0],
        [0, 2],
      ]),
    );
    run(tensor1d([0.5, 2])).forEach((value, i) => expect(dense[i]).toBeCloseTo(value, 5));
  });
});

describe('trajectories of random length', () => {
  it('take every length of the range equally often, and move as far as a fixed one', () => {
    const ranged = hmc({ logDensity, stepSize: 0.1, leapfrogSteps: [2, 5] });
    const state = ranged.init(tensor1d([1, 0]) as Tensor, key(0));
    const counts = new Map<number, number>();
    for (let i = 0; i < 400; i++) {
      const [next, info] = ranged.step(foldIn(key(1), i), state);
      const length = info.leapfrogSteps.dataSync()[0]!;
      counts.set(length, (counts.get(length) ?? 0) + 1);
      if (i > 20) continue;
      const [fixed] = hmc({ logDensity, stepSize: 0.1, leapfrogSteps: length }).step(foldIn(key(1), i), state);
      expect([...next.position.dataSync()]).toEqual([...fixed.position.dataSync()]);
    }
    expect([...counts.keys()].sort()).toEqual([2, 3, 4, 5]);
    // Binomial(400, ¼): sd 8.7.
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(40);
  });

  it('jitter the step size within its bounds', () => {
    const { init, step } = hmc({ logDensity, stepSize: 0.1, leapfrogSteps: 1, stepSizeJitter: 0.5 });
    const state = init(tensor1d([1, 0]) as Tensor, key(0));
    const sizes = Array.from({ length: 100 }, (_, i) => step(foldIn(key(1), i), state)[1].stepSize.dataSync()[0]!);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(0.05);
    expect(Math.max(...sizes)).toBeLessThan(0.15);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeGreaterThan(0.08);
  });
});

describe('what is not finite', () => {
  const current = { x: scalar(1) };
  const proposed = { x: scalar(2) };
  const decide = (logRatio: number, value: number, u = 0.5) => {
    const { state, acceptance, accepted } = metropolis({
      current,
      proposed,
      logRatio: scalar(logRatio),
      logDensity: scalar(value),
      uniform: scalar(u),
    });
    return [state.x, acceptance, accepted].map((x) => x.dataSync()[0]!);
  };
  it.each([
    [Number.NaN, 0],
    [Number.NEGATIVE_INFINITY, 0],
    [10, Number.NaN],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ])('is rejected: log ratio %s at log density %s', (logRatio, value) => {
    for (const u of [0, 0.5]) expect(decide(logRatio, value, u)).toEqual([1, 0, 0]);
  });
  it('but a finite proposal from a point of density zero is taken', () => {
    expect(decide(Number.POSITIVE_INFINITY, 0)).toEqual([2, 1, 1]);
    expect(decide(Math.log(0.25), 0, 0.5)[0]).toBe(1);
    expect(decide(Math.log(0.75), 0, 0.5)[0]).toBe(2);
    expect(decide(Math.log(0.75), 0, 0.5)[1]).toBeCloseTo(0.75, 6);
  });

  const walls: readonly (readonly [string, (x: Tensor) => Tensor])[] = [
    ['NaN', (x) => sum(sub(log(x), x))],
    ['−∞', (x) => sum(where(less(x, 0), scalar(Number.NEGATIVE_INFINITY), neg(x)))],
    ['+∞', (x) => sum(where(less(x, 0), scalar(Number.POSITIVE_INFINITY), neg(x)))],
  ];
  it.each(walls)('keeps mala and hmc on their side of a wall of %s, flagged as divergent', (_, wall) => {
    const samplers = [mala({ logDensity: wall, stepSize: 2 }), hmc({ logDensity: wall, stepSize: 1.5, leapfrogSteps: 1 })] as const;
    for (const { init, step } of samplers) {
      let state = init(tensor1d([0.5, 0.5]) as Tensor, key(0));
      let rejected = 0;
      for (let i = 0; i < 60; i++) {
        const [next, info] = step(foldIn(key(6), i), state);
        rejected += 1 - info.accepted.dataSync()[0]!;
        if ('divergent' in info && info.accepted.dataSync()[0] === 1) expect(info.divergent.dataSync()[0]).toBe(0);
        state = next;
        expect(Math.min(...state.position.dataSync())).toBeGreaterThan(0);
        for (const leaf of [state.logDensity, state.gradient]) expect([...leaf.dataSync()].every(Number.isFinite)).toBe(true);
      }
      expect(rejected).toBeGreaterThan(5);
      expect(rejected).toBeLessThan(60);
    }
  });

  it('a step size far too large diverges, and says so', () => {
    const { init, step } = hmc({ logDensity: (x: Tensor) => neg(sum(square(square(x)))), stepSize: 3, leapfrogSteps: 6 });
    const [state, info] = step(key(1), init(tensor1d([2, 2]) as Tensor, key(0)));
    expect(info.divergent.dataSync()[0]).toBe(1);
    expect(info.accepted.dataSync()[0]).toBe(0);
    expect(info.acceptance.dataSync()[0]).toBe(0);
    expect([...state.position.dataSync()]).toEqual([2, 2]);
  });
});

describe('temperature', () => {
  it('T and the density p are one: hmc at T on p is hmc at 1 on p^(1/T), in other units of momentum', () => {
    // With r = √T·r', time runs √T times as fast.
    const [T, epsilon] = [0.25, 0.1];
    const cold = hmc({ logDensity, stepSize: epsilon, leapfrogSteps: 6, temperature: T });
    const sharp = hmc({ logDensity: (x: Tensor) => mul(logDensity(x), 1 / T), stepSize: epsilon * Math.sqrt(T), leapfrogSteps: 6 });
    const [a] = cold.step(key(4), cold.init(tensor1d([1, 0]) as Tensor, key(0)));
    const [b] = sharp.step(key(4), sharp.init(tensor1d([1, 0]) as Tensor, key(0)));
    a.position.dataSync().forEach((value, i) => expect(b.position.dataSync()[i]).toBeCloseTo(value, 5));
  });
});

describe('underdampedLangevin', () => {
  it('without friction is the leapfrog integrator', () => {
    const { init, step } = underdampedLangevin({ logDensity, stepSize: 0.1, friction: 0 });
    const state = init(tensor1d([1, 0]) as Tensor, key(0));
    const next = leapfrogStep(state, { logDensity, stepSize: scalar(0.1), metric: metricOf(tensor1d([1, 1]), state.position) });
    const [moved] = step(key(1), state);
    for (const name of ['position', 'momentum'] as const) {
      moved[name].dataSync().forEach((value, i) => expect(next[name].dataSync()[i]).toBeCloseTo(value, 6));
    }
  });

  it('draws the momentum that it starts with from N(0, T)', () => {
    const { init } = underdampedLangevin({ logDensity: (x: Tensor) => neg(sum(square(x))), stepSize: 0.1, temperature: 4 });
    const { momentum } = init(tensor1d(Array.from({ length: 50 }, () => 0)) as Tensor, key(3));
    const noise = hostNormal(foldIn(key(3), 0), 50);
    momentum.dataSync().forEach((value, i) => expect(value).toBeCloseTo(2 * noise[i]!, 5));
  });
});
