import './support/backend.js';
import { type Algorithm, hostNormal, key, normal, type Tree, uniform } from '@bpc/core';
import { mala, ula } from '@bpc/samplers';
import {
  type ConformancePosition,
  type ConformanceTarget,
  expectStationary,
  type RegisterAsyncTest,
  samplerConformance,
} from '@bpc/samplers/testing';
import { add, mul, scalar, type Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

type State = Tree & { readonly position: ConformancePosition };
type Sampler = Algorithm<ConformancePosition, State, Tree>;

/** What the suite's tests say: nothing, or why they failed. */
async function verdicts(algorithm: (target: ConformanceTarget) => Sampler): Promise<Map<string, string>> {
  const tests: [string, () => void | Promise<void>][] = [];
  const register: RegisterAsyncTest = (name, body) => tests.push([name, body]);
  samplerConformance({ name: 'it', algorithm, it: register });
  const found = new Map<string, string>();
  for (const [name, body] of tests) {
    try {
      await body();
    } catch (error) {
      found.set(name.replace('it: ', ''), error instanceof Error ? error.message : String(error));
    }
  }
  return found;
}

const sound = ({ logDensity, temperature }: ConformanceTarget) => mala({ logDensity, temperature, stepSize: 0.4 });

describe('samplerConformance', () => {
  it('finds nothing wrong with a sound sampler', async () => {
    expect(await verdicts(sound)).toEqual(new Map());
  });

  it('rejects a sampler of the wrong temperature, only where the temperature is not 1', async () => {
    const found = await verdicts((target) => sound({ ...target, temperature: 1 }));
    expect([...found.keys()]).toEqual(['leaves a normal distribution invariant at temperature 0.5']);
    expect(found.get('leaves a normal distribution invariant at temperature 0.5')).toMatch(/is not stationary: .*variance .*z = /);
  });

  it('rejects one that moves the skewed target alone: a density with the wrong sign', async () => {
    const mirrored = (target: ConformanceTarget): ConformanceTarget => ({
      ...target,
      // Of a normal distribution about its mean, the mirror image is the same.
      logDensity: ({ x }) => target.logDensity({ x: add(mul(x, -1), [2, -4]) as Tensor }),
    });
    const found = await verdicts((target) => sound(mirrored(target)));
    expect(found.has('leaves a normal distribution invariant')).toBe(false);
    expect(found.get('leaves a skewed distribution invariant')).toMatch(/is not stationary: mean .*z = /);
  });

  it('rejects one that leaves out the accept step', async () => {
    const found = await verdicts((target) => ula({ ...target, stepSize: 0.4 }));
    expect(found.get('leaves a normal distribution invariant')).toMatch(/is not stationary: variance/);
    expect(found.get('leaves a skewed distribution invariant')).toMatch(/is not stationary/);
  });

  it('rejects one that steps into what is no number', async () => {
    const walk = (): Sampler => ({
      init: ({ x }) => ({ position: { x: mul(x, 1) } }),
      step: (k, { position }) => [{ position: { x: add(position.x, normal(k, [2])) } }, [] as const],
    });
    expect((await verdicts(walk)).get('keeps out of positions where the log density is NaN')).toMatch(/where the log density is NaN/);
  });

  it('rejects one that draws less when it is compiled', async () => {
    let calls = 0;
    const fickle = (): Sampler => ({
      init: ({ x }) => ({ position: { x: mul(x, 1) } }),
      step: (k, { position }) => [{ position: { x: add(mul(position.x, 0.9), mul(uniform(k, [2]), scalar(1 / ++calls))) } }, [] as const],
    });
    expect((await verdicts(fickle)).get('takes the same steps compiled as eagerly')).toMatch(/step \d gives .* compiled, and .* eagerly/);
  });
});

describe('expectStationary', () => {
  const draws = Float64Array.from(hostNormal(key(1), 20_000));
  it('tells what it found', () => {
    const found = expectStationary({ name: 'x', chains: [draws], mean: 0, variance: 1 });
    expect(found.map(({ name }) => name)).toEqual(['mean', 'variance']);
    for (const { z, ess } of found) {
      expect(Math.abs(z)).toBeLessThan(4);
      expect(ess).toBeGreaterThan(15_000);
    }
  });
  it('rejects a wrong mean, a wrong variance, a wrong tail', () => {
    const check = (more: object) => () => expectStationary({ name: 'x', chains: [draws], mean: 0, variance: 1, ...more });
    expect(check({ mean: 0.05 })).toThrow(/x is not stationary: mean/);
    expect(check({ variance: 1.06 })).toThrow(/x is not stationary: variance/);
    const tail = (expected: number) => ({ statistics: [{ name: 'tail', of: (x: number) => (x > 2 ? 1 : 0), expected }] });
    expect(check(tail(0.02275))).not.toThrow();
    expect(check(tail(0.03))).toThrow(/x is not stationary: tail/);
  });
  it('says so when there are too few draws, or none that moved', () => {
    const short = () => expectStationary({ name: 'x', chains: [draws.slice(0, 5000)], mean: 0, variance: 1 });
    expect(short).toThrow(/effective sample size of .*, expected 10000: take more draws/);
    const stuck = () => expectStationary({ name: 'x', chains: [new Float64Array(20_000)], mean: 0, variance: 1 });
    expect(stuck).toThrow(/effective sample size of NaN/);
  });
});
