import { jsRuntime } from '@bpc/compiler';
import { grad, type Tensor, tanh, tensor } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

it('programs may take gradients by means of tfjs alone: the runtime has registered rules for them, to second order', async () => {
  const runtime = jsRuntime();
  const program = runtime.compile((x: Tensor) => ({ first: grad(tanh)(x), second: grad((y: Tensor) => grad(tanh)(y))(x) }));
  const { first, second } = await program(tensor([0.5]));
  const t = Math.tanh(0.5);
  expect(first.dataSync()[0]).toBeCloseTo(1 - t * t, 6);
  expect(second.dataSync()[0]).toBeCloseTo(-2 * t * (1 - t * t), 6);
});
