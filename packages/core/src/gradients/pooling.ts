import type { GradConfig, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { avgPool, engine, maxPool } from '@tensorflow/tfjs-core';
import { rule, zeros } from './rule.js';

type Attributes = {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
};

/**
 * Average pooling is linear, so it and its adjoint differentiate into each other at any order. Max pooling stops at the
 * first: tfjs has no kernel for the adjoint of MaxPoolGrad (`maxPool` of ops.ts needs none for non-overlapping windows).
 */
export const poolingRules: readonly GradConfig[] = [
  rule<Attributes, 'x'>('AvgPool', ['x'], (dy, { x }, { filterSize, strides, pad }) => ({
    x: () => engine().runKernel('AvgPoolGrad', { dy, input: x }, { filterSize, strides, pad }) as Tensor,
  })),
  rule<Attributes, 'input'>('AvgPoolGrad', ['input'], (ddx, { input }, { filterSize, strides, pad }) => ({
    dy: () => avgPool(ddx as Tensor4D, filterSize, strides, pad),
    input: () => zeros(input.shape),
  })),
  rule<Attributes, 'x'>('MaxPool', ['x'], (dy, { x }, attributes) => ({
    x: () => {
      const { filterSize, strides, pad, dimRoundingMode } = attributes;
      const output = maxPool(x as Tensor4D, filterSize, strides, pad, dimRoundingMode);
      return engine().runKernel('MaxPoolGrad', { dy, input: x, output }, { filterSize, strides, pad, dimRoundingMode } as never) as Tensor;
    },
  })),
];
