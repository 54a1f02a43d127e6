import { setBackend } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { differences, problem, reference, runOn, subjects, valuesOf } from './equality.js';

/** The network of the papers, whose convolutions are Winograd's products on ONNX Runtime. */
const network = { inputShape: [32, 32, 3], outputs: 10, depth: 3, width: 128 } as const;
const { cpu, ...quick } = subjects;

afterEach(async () => {
  await setBackend('cpu');
});

describe.each([
  ['ten steps', { points: 4, steps: 10 }, Object.values(quick)],
  // Seconds per image and gradient there.
  ['two steps', { points: 2, steps: 2 }, [cpu]],
] as const)('contrastive divergence of %s on the ConvNet of the papers', (_, size, on) => {
  const { estimate } = problem({ network, ...size });
  let exact: Map<string, Float32Array>;
  beforeAll(async () => {
    exact = await valuesOf(await runOn(reference, (runtime) => estimate(runtime, 'rotate')));
  });

  it.each(on)('has the numbers of float64, and noise of equal bits, on $name', async (subject) => {
    expect(await runOn(subject, async (runtime) => differences(await estimate(runtime, 'rotate'), exact, 2e-4))).toEqual([]);
  });
});
