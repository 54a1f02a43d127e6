import type { Runtime, Tree } from '@bpc/core';
import { descentDraws, psvi, reverseKl, wasserstein } from '@bpc/core';
import { setBackend } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { differences, problem, reference, runOn, subjects, valuesOf } from './equality.js';

const { divergence, estimate, learned, sampled } = problem({
  network: { inputShape: [8, 8, 3], outputs: 3, depth: 2, width: 6 },
  points: 6,
  steps: 3,
});

const programs: Readonly<Record<string, (runtime: Runtime) => Promise<Tree>>> = {
  'contrastive divergence, colours': (runtime) => estimate(runtime, 'color'),
  'contrastive divergence, rotated': (runtime) => estimate(runtime, 'rotate'),
  'reverse KL, means, in chunks': (runtime) =>
    divergence(runtime, reverseKl({ draws: 3, posterior: descentDraws({ steps: 2, sigma: 0.2 }), pointsAtOnce: 4 }), 'scale'),
  'PSVI with draws from a descent': (runtime) =>
    divergence(runtime, psvi({ draws: 3, posterior: descentDraws({ steps: 2, sigma: 0.2 }) }), 'color'),
  'the Wasserstein distance, with a learned step size': (runtime) =>
    divergence(runtime, wasserstein({ steps: 3, stepSize: 0.05, learnStepSize: { learningRate: 0.1 }, pointsAtOnce: 4 }), 'rotate'),
  'a turn of learn, cropped': (runtime) => learned(runtime, 'crop'),
  'Langevin, a step and a chain': (runtime) => sampled(runtime),
};

afterEach(async () => {
  await setBackend('cpu');
});

// The WebAssembly backend of tfjs has every kernel that these need: nothing is left out on any subject.
describe.each(Object.entries(programs))('%s', (_, program) => {
  let exact: Map<string, Float32Array>;
  beforeAll(async () => {
    exact = await valuesOf(await runOn(reference, program));
  });

  it.each(Object.values(subjects))('has the numbers of float64, and noise of equal bits, on $name', async (subject) => {
    expect(await runOn(subject, async (runtime) => differences(await program(runtime), exact, 2e-4))).toEqual([]);
  });
});

describe('the comparison', () => {
  it('tells another key, another bit of noise, a number that is off by a thousandth, and one that is missing', async () => {
    const compare = async (seed: number, change?: (values: Map<string, Float32Array>) => void) => {
      const exact = await valuesOf(await runOn(reference, (runtime) => sampled(runtime)));
      change?.(exact);
      return runOn(reference, async (runtime) => differences(await sampled(runtime, seed), exact, 2e-4));
    };
    expect(await compare(6)).toEqual([]);
    const other = await compare(7);
    expect(other.filter((line) => line.includes('other noise'))).toHaveLength(20);
    expect(other.some((line) => line.startsWith('result/state/position/dense/kernel'))).toBe(true);
    const bit = await compare(6, (values) => {
      const noise = values.get('noise/chain/conv0/kernel') ?? new Float32Array(0);
      // The second number's last bit.
      new Uint8Array(noise.buffer).fill(1, 4, 5);
    });
    expect(bit).toEqual(['noise/chain/conv0/kernel: other noise']);
    const scaled = await compare(6, (values) => {
      const energies = values.get('result/chain/energies') ?? new Float32Array(0);
      energies[0] = 1.001 * (energies[0] ?? 0);
    });
    expect(scaled).toHaveLength(1);
    expect(await compare(6, (values) => values.set('result/none', new Float32Array(1)))).toHaveLength(2);
  });
});
