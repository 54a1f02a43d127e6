import type { Window } from '@bpc/compiler';
import { describe, expect, it } from 'vitest';
import { evaluate, graph, input, node, noise, relativeError, ties, window } from './graphs.js';
import { averagePool, maximumPool, windowOutput } from './reference.js';

type Case = { readonly name: string; readonly x: [number, number, number, number]; readonly window: Window };

const CASES: readonly Case[] = [
  { name: '2×2 stride 2', x: [2, 6, 4, 3], window: window([2, 2], { strides: [2, 2] }) },
  { name: '2×2 stride 2, odd image', x: [2, 7, 5, 3], window: window([2, 2], { strides: [2, 2] }) },
  { name: '3×2 stride 3×2', x: [1, 9, 4, 2], window: window([3, 2], { strides: [3, 2] }) },
  { name: '3×3 stride 2, padded', x: [2, 7, 8, 3], window: window([3, 3], { strides: [2, 2], padding: [1, 1, 1, 1] }) },
  { name: '3×3 stride 1, asymmetric padding', x: [2, 5, 6, 2], window: window([3, 3], { padding: [0, 1, 2, 1] }) },
  { name: '2×2 stride 3', x: [2, 8, 8, 2], window: window([2, 2], { strides: [3, 3] }) },
  { name: '2×2 stride 2, padded', x: [2, 6, 6, 2], window: window([2, 2], { strides: [2, 2], padding: [1, 1, 1, 1] }) },
  { name: '2×2 dilated', x: [1, 6, 7, 2], window: window([2, 2], { dilations: [2, 3] }) },
  { name: '1×1 stride 2', x: [2, 5, 4, 3], window: window([1, 1], { strides: [2, 2] }) },
  { name: 'whole image', x: [2, 4, 4, 5], window: window([4, 4], { strides: [4, 4] }) },
];

describe('average pooling agrees with the mean over valid elements', () => {
  it.each(CASES)('$name', async ({ x: shape, window: geometry }) => {
    const pooled = [shape[0], ...windowOutput(shape, geometry), shape[3]];
    const [x, dy] = [input(0, shape), input(1, pooled)];
    const data = [noise(shape, 1), noise(pooled, 2)] as const;
    const expected = averagePool({ data: data[0], shape }, { data: data[1], shape: pooled }, geometry);
    const gradient = node('AvgPoolGrad', [dy], geometry, shape);
    const outputs = [
      node('AvgPool', [x], geometry, pooled),
      gradient,
      node('Mul', [gradient, x], {}, shape),
      node('Sub', [x, gradient], {}, shape),
    ];
    const [y = [], dx = [], product = [], difference = []] = await evaluate(graph([x, dy], outputs), data);
    expect(relativeError(y, expected.y)).toBeLessThanOrEqual(1e-6);
    expect(relativeError(dx, expected.dx)).toBeLessThanOrEqual(1e-6);
    // Element-wise users of a gradient may broadcast it instead of reading it.
    expect(
      relativeError(
        product,
        expected.dx.map((value, i) => value * (data[0][i] ?? NaN)),
      ),
    ).toBeLessThanOrEqual(1e-6);
    expect(
      relativeError(
        difference,
        expected.dx.map((value, i) => (data[0][i] ?? NaN) - value),
      ),
    ).toBeLessThanOrEqual(1e-6);
  });
});

describe('max pooling agrees with the first maximum of each window', () => {
  it.each(CASES)('$name', async ({ x: shape, window: geometry }) => {
    const pooled = [shape[0], ...windowOutput(shape, geometry), shape[3]];
    const [x, dy, v] = [input(0, shape), input(1, pooled), input(2, shape)];
    const outputs = [
      node('MaxPool', [x], geometry, pooled),
      node('MaxPoolGrad', [dy, x], geometry, shape),
      node('MaxPoolGather', [v, x], geometry, pooled),
    ];
    for (const values of [noise(shape, 1), ties(shape)]) {
      const data = [values, noise(pooled, 2), noise(shape, 3)] as const;
      const expected = maximumPool({ data: data[0], shape }, { data: data[1], shape: pooled }, { data: data[2], shape }, geometry);
      const [y = [], dx = [], gathered = []] = await evaluate(graph([x, dy, v], outputs), data);
      expect(relativeError(y, expected.y)).toBeLessThanOrEqual(1e-6);
      expect(relativeError(dx, expected.dx)).toBeLessThanOrEqual(1e-6);
      expect(relativeError(gathered, expected.gathered)).toBeLessThanOrEqual(1e-6);
    }
  });
});
