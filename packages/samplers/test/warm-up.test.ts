import { CheckpointError, ConfigError, foldIn, key, NonFiniteError, ShapeError } from '@bpc/core';
import { dualAveraging, randomStream, type WarmUp, warmUpWindows, welford, windowedAdaptation } from '@bpc/samplers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';

type DualAveragingCase = { readonly initialStepSize: number; readonly target: number };
type Cases = {
  readonly dual_averaging: DualAveragingCase;
  readonly dual_averaging_restart: { readonly restartBeforeUpdate: number };
  readonly windows: Readonly<Record<string, unknown>>;
};
const fixture = loadFixture<never>('adaptation');
const cases = fixture.cases as unknown as Cases;

describe('dualAveraging', () => {
  const { initialStepSize, target } = cases.dual_averaging;
  const acceptances = Array.from(fixture.values('dual_averaging/accept_prob'));

  it('has the reference step sizes, exploring and averaged', () => {
    const adaptation = dualAveraging({ targetAcceptance: target });
    adaptation.begin(initialStepSize);
    const steps = acceptances.map((acceptance) => {
      adaptation.update(acceptance);
      return [adaptation.stepSize, adaptation.averaged] as const;
    });
    fixture.expectClose(
      'dual_averaging/step_size',
      steps.map(([step]) => step),
      'f64',
    );
    fixture.expectClose(
      'dual_averaging/averaged',
      steps.map(([, averaged]) => averaged),
      'f64',
    );
  });

  it('starts anew from any step size as the reference does', () => {
    const adaptation = dualAveraging({ targetAcceptance: target });
    adaptation.begin(initialStepSize);
    const steps = acceptances.map((acceptance, i) => {
      if (i === cases.dual_averaging_restart.restartBeforeUpdate) adaptation.begin(adaptation.stepSize);
      adaptation.update(acceptance);
      return adaptation.stepSize;
    });
    fixture.expectClose('dual_averaging_restart/step_size', steps, 'f64');
    fixture.expectClose('dual_averaging_restart/averaged_last', adaptation.averaged, 'f64');
  });

  it('finds the step size at which the mean acceptance is the target', () => {
    // A sampler whose mean acceptance at step size ε is exp(−ε).
    const noise = randomStream(key(1));
    for (const targetAcceptance of [0.6, 0.8, 0.95]) {
      const adaptation = dualAveraging({ targetAcceptance });
      adaptation.begin(5);
      for (let i = 0; i < 5000; i++) adaptation.update(Math.exp(-adaptation.stepSize) * (0.8 + 0.4 * noise.uniform()));
      expect(Math.exp(-adaptation.averaged)).toBeCloseTo(targetAcceptance, 1);
    }
  });

  it('keeps a usable number whatever acceptances say', () => {
    for (const acceptance of [0, 1, Number.NaN, 1.5, -1]) {
      const adaptation = dualAveraging();
      adaptation.begin(1);
      for (let i = 0; i < 10_000; i++) adaptation.update(acceptance);
      for (const step of [adaptation.stepSize, adaptation.averaged]) {
        expect(step > 0 && step < Number.POSITIVE_INFINITY).toBe(true);
      }
      expect(adaptation.stepSize > 1).toBe(acceptance >= 1);
    }
  });

  it('is its first step size before any update', () => {
    const adaptation = dualAveraging();
    adaptation.begin(0.3);
    expect([adaptation.stepSize, adaptation.averaged]).toEqual([0.3, 0.3]);
  });

  it('refuses step sizes and targets that cannot be', () => {
    for (const targetAcceptance of [0, 1, -0.1, 1.2, Number.NaN]) expect(() => dualAveraging({ targetAcceptance })).toThrow(ConfigError);
    for (const stepSize of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => dualAveraging().begin(stepSize)).toThrow(/stepSize is .*expected a finite number > 0/);
    }
  });
});

describe('welford', () => {
  const [count, size] = fixture.entries['welford/draws']!.shape as [number, number];
  const draws = fixture.values('welford/draws');
  const row = (i: number) => Float64Array.from(draws.subarray(i * size, (i + 1) * size));

  it('has the reference means, variances and covariances, plain and regularised', () => {
    const diagonal = welford(size);
    const dense = welford(size, { dense: true });
    const means: number[] = [];
    for (let i = 0; i < count; i++) {
      diagonal.update(row(i));
      dense.update(row(i));
      means.push(...diagonal.mean);
      expect(dense.mean).toEqual(diagonal.mean);
    }
    fixture.expectClose('welford/running_mean', means, 'f64');
    fixture.expectClose('welford/variance', diagonal.estimate(), 'f64');
    fixture.expectClose('welford/covariance', dense.estimate(), 'f64');
    fixture.expectClose('welford/regularised_variance', diagonal.regularised(), 'f64');
    fixture.expectClose('welford/regularised_covariance', dense.regularised(), 'f64');
  });

  it('loses no digits far from the origin, where sums of squares would', () => {
    const running = welford(1);
    for (const x of [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]) running.update(Float64Array.of(x));
    expect(running.estimate()[0]).toBeCloseTo(30, 10);
  });

  it('estimates exactly symmetric covariances', () => {
    const running = welford(size, { dense: true });
    for (let i = 0; i < count; i++) running.update(row(i));
    const covariance = running.estimate();
    for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) expect(covariance[i * size + j]).toBe(covariance[j * size + i]);
  });

  it('continues bitwise from what was saved, and forgets on reset', () => {
    const [whole, first, second] = [welford(size), welford(size), welford(size)];
    for (let i = 0; i < count; i++) {
      whole.update(row(i));
      (i < 10 ? first : second).update(row(i));
      if (i === 9) second.load(first.save());
    }
    expect(second.regularised()).toEqual(whole.regularised());
    whole.reset();
    expect([whole.count, ...whole.mean]).toEqual([0, 0, 0, 0, 0]);
  });

  it('refuses vectors of another length', () => {
    expect(() => welford(3).update(new Float64Array(2))).toThrow(ShapeError);
    expect(() => welford(0)).toThrow(ConfigError);
  });
});

describe('warmUpWindows', () => {
  it.each(Object.keys(cases.windows))('ends the windows of a warm-up of %s where the reference does', (warmup) => {
    expect(warmUpWindows(Number(warmup)).updates).toEqual([...fixture.values(`windows/${warmup}`)]);
  });

  it('cuts any warm-up of at least 20 into ascending windows that end with the last usable draw', () => {
    const check = (warmup: number): void => {
      const { start, end, updates } = warmUpWindows(warmup);
      expect(updates.at(-1)).toBe(end - 1);
      expect(0 < start && start < end && end < warmup).toBe(true);
      const lengths = updates.map((last, i) => last - (updates[i - 1] ?? start - 1));
      // Each window is at least twice as long as the one before.
      lengths.slice(1).forEach((length, i) => expect(length).toBeGreaterThanOrEqual(2 * lengths[i]!));
      expect(lengths[0]).toBeGreaterThanOrEqual(Math.min(25, Math.floor(0.75 * warmup)));
    };
    for (let warmup = 20; warmup < 1000; warmup++) check(warmup);
    fc.assert(fc.property(fc.integer({ min: 1000, max: 1_000_000 }), check));
  });

  it('has no window below 20 iterations, and refuses what is no number of iterations', () => {
    for (const warmup of [0, 1, 19]) expect(warmUpWindows(warmup)).toEqual({ start: warmup, end: warmup, updates: [] });
    for (const warmup of [-1, 2.5, Number.NaN]) expect(() => warmUpWindows(warmup)).toThrow(/warmup is .*expected an integer ≥ 0/);
  });
});

/** Draws from N(0, diag(4, 0.01)) with made-up acceptances; where the metric changed. */
function feed(warmUp: WarmUp, from: number, to: number): number[] {
  const changes: number[] = [];
  for (let i = from; i < to; i++) {
    const stream = randomStream(foldIn(key(7), i));
    const position = Float64Array.of(2 * stream.normal(), 0.1 * stream.normal());
    if (!warmUp.update(position, stream.uniform())) continue;
    changes.push(i);
    warmUp.begin(1 + stream.uniform());
  }
  return changes;
}

describe('windowedAdaptation', () => {
  const options = { size: 2, warmup: 1000 } as const;

  it('changes the metric after each window to the regularised estimate of that window alone', () => {
    const warmUp = windowedAdaptation(options);
    expect(warmUp.metric.kind).toBe('unit');
    warmUp.begin(1);
    expect(feed(warmUp, 0, 1000)).toEqual([...fixture.values('windows/1000')]);
    const last = welford(2);
    for (let i = 450; i < 950; i++) {
      const stream = randomStream(foldIn(key(7), i));
      last.update(Float64Array.of(2 * stream.normal(), 0.1 * stream.normal()));
    }
    expect(warmUp.metric.kind).toBe('diagonal');
    expect(warmUp.metric.inverseMass).toEqual(last.regularised());
  });

  it('learns a dense metric, or none, if asked to', () => {
    const dense = windowedAdaptation({ ...options, metric: 'dense' });
    dense.begin(1);
    feed(dense, 0, 1000);
    const [a, b, c, d] = dense.metric.inverseMass;
    expect([dense.metric.kind, b]).toEqual(['dense', c]);
    expect(Math.abs(a! / 4 - 1)).toBeLessThan(0.25);
    expect(Math.abs(d! / 0.01 - 1)).toBeLessThan(0.25);
    const unit = windowedAdaptation({ ...options, metric: 'unit' });
    unit.begin(1);
    expect(feed(unit, 0, 1000)).toEqual([]);
    expect([...unit.metric.inverseMass]).toEqual([1, 1]);
  });

  it('explores by dual averaging and ends with its average', () => {
    const warmUp = windowedAdaptation({ size: 1, warmup: 10, targetAcceptance: 0.7 });
    const steps = dualAveraging({ targetAcceptance: 0.7 });
    for (const adaptation of [warmUp, steps]) adaptation.begin(0.2);
    for (let i = 0; i < 10; i++) {
      expect(warmUp.update(Float64Array.of(i), i / 10)).toBe(false);
      steps.update(i / 10);
      expect(warmUp.stepSize).toBe(steps.stepSize);
    }
    warmUp.finish();
    expect(warmUp.stepSize).toBe(steps.averaged);
  });

  it('keeps the step size it was given if there is no warm-up', () => {
    const warmUp = windowedAdaptation({ size: 1, warmup: 0 });
    warmUp.begin(0.25);
    warmUp.finish();
    expect(warmUp.stepSize).toBe(0.25);
  });

  it.each(['unit', 'diagonal', 'dense'] as const)('continues a %s warm-up bitwise wherever it was saved', (metric) => {
    const whole = windowedAdaptation({ ...options, metric });
    whole.begin(1);
    feed(whole, 0, 1000);
    for (const cut of [0, 60, 99, 100, 500, 999, 1000]) {
      const before = windowedAdaptation({ ...options, metric });
      before.begin(1);
      feed(before, 0, cut);
      const saved = before.save();
      // What happens to the first one later is not the saved one's business.
      feed(before, cut, 1000);
      const after = windowedAdaptation({ ...options, metric });
      after.load(saved);
      feed(after, cut, 1000);
      expect(after.save()).toEqual(whole.save());
      expect(after.metric).toEqual(whole.metric);
      after.finish();
      const done = windowedAdaptation({ ...options, metric });
      done.load(after.save());
      expect(done.stepSize).toBe(after.stepSize);
    }
  });

  it('refuses what another warm-up saved', () => {
    const saved = windowedAdaptation({ size: 3, warmup: 100 }).save();
    expect(() => windowedAdaptation(options).load(saved)).toThrow(CheckpointError);
    expect(() => windowedAdaptation({ size: 3, warmup: 100, metric: 'dense' }).load(saved)).toThrow(CheckpointError);
    expect(() => windowedAdaptation(options).load({})).toThrow(CheckpointError);
  });

  it('says so when draws overflow', () => {
    const warmUp = windowedAdaptation({ size: 1, warmup: 20 });
    warmUp.begin(1);
    expect(() => {
      for (let i = 0; i < 20; i++) warmUp.update(Float64Array.of(i % 2 ? 1e200 : -1e200), 0.5);
    }).toThrow(NonFiniteError);
  });

  it('refuses bad options', () => {
    expect(() => windowedAdaptation({ size: 0, warmup: 10 })).toThrow(ConfigError);
    expect(() => windowedAdaptation({ size: 1, warmup: -1 })).toThrow(ConfigError);
    expect(() => windowedAdaptation({ size: 1, warmup: 10, targetAcceptance: 1 })).toThrow(ConfigError);
  });
});
