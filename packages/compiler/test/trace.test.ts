import '@tensorflow/tfjs-backend-cpu';
import { printGraph, trace } from '@bpc/compiler';
import { valueAndGrad } from '@bpc/core';
import { exp, mul, square, sum, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

it('writes a traced gradient as a readable graph', () => {
  const traced = trace((x: Tensor) => valueAndGrad((p: { x: Tensor }) => sum(mul(2, exp(square(p.x)))))({ x }), [tensor([1, 2, 3])]);
  expect(printGraph(traced.graph)).toContain('Exp');
  console.log(printGraph(traced.graph));
});
