import { onnxRuntime } from '@bpc/backend-onnx';
import { jsRuntime } from '@bpc/compiler';
import {
  adam,
  contrastiveDivergence,
  crossEntropyEnergy,
  fromNoise,
  key,
  learn,
  memoryStore,
  parseAugmentation,
  type Runtime,
  sampled,
  supervised,
} from '@bpc/core';
import { mlp } from '@bpc/models';
import { engine, memory, type Scalar, square, sum, type Tensor, tensor } from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

describe.each<[string, () => Runtime | Promise<Runtime>]>([
  ['onnx:cpu', () => onnxRuntime({ ort, threads: 1 })],
  ['js', () => jsRuntime()],
])('with nothing but tfjs-core installed, %s', (name, makeRuntime) => {
  it('runs programs and densities', async () => {
    const runtime = await makeRuntime();
    expect(runtime.name).toBe(name);
    expect(engine().backendNames()).not.toContain('cpu');
    const program = runtime.compile((x: Tensor) => sum(square(x)));
    expect((await program(tensor([1, 2, 3]))).dataSync()[0]).toBe(14);
    const density = await runtime.density((p: { x: Tensor }) => sum(square(p.x)) as Scalar, { x: [1, 2] });
    const gradient = new Float64Array(2);
    expect(await density.evaluate(Float64Array.of(1, 2), gradient)).toBe(5);
    expect([...gradient]).toEqual([2, 4]);
    await runtime.dispose();
  });

  it('learns a coreset, saves it, and leaves nothing behind', async () => {
    const runtime = await makeRuntime();
    const network = mlp({ inputShape: [4, 4, 1], outputs: 2, hidden: [3] });
    const coreset = fromNoise({ shape: [4, 4, 1], classes: 2, imagesPerClass: 1, key: key(1) });
    const before = memory().numTensors;
    const run = learn({
      objective: sampled(contrastiveDivergence({ steps: 2, temperature: 1e-6 }), {
        model: supervised({ network, energy: crossEntropyEnergy() }),
        experts: { count: 1, epochs: 1, load: async () => network.init(key(0)) },
        augment: parseAugmentation('flip_cutout'),
      }),
      coreset,
      optimizer: adam({ learningRate: 0.1 }),
      runtime,
      steps: 4,
      key: key(2),
      checkpoint: { store: memoryStore(), every: 2 },
    });
    const learned = await run.collect();
    expect(memory().numTensors).toBe(before + 3);
    expect([...learned.x.dataSync()].every(Number.isFinite)).toBe(true);
    expect(learned.x.dataSync()).not.toEqual(coreset.x.dataSync());
    expect(engine().backendName).toBe('host');
    await runtime.dispose();
  });
});
