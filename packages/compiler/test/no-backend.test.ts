import { jsRuntime } from '@bpc/compiler';
import { getBackend, type Scalar, scalar, square, sum, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

it('programs and densities work with nothing but tfjs-core installed', async () => {
  const runtime = jsRuntime();
  const program = runtime.compile((x: Tensor) => sum(square(x)));
  const result = await program(tensor([1, 2, 3]));
  expect(result.dataSync()[0]).toBe(14);
  expect((await program(scalar(3))).dataSync()[0]).toBe(9);
  expect(getBackend()).not.toContain('trace');
  const density = await runtime.density((p: { x: Tensor }) => sum(square(p.x)) as Scalar, { x: [1, 2] });
  expect(density.evaluate(Float64Array.of(1, 2), new Float64Array(2))).toBe(5);
});
