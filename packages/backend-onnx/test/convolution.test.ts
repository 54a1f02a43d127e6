import type { Window } from '@bpc/compiler';
import { describe, expect, it } from 'vitest';
import { planConvolution } from '../src/lower/conv-plan.js';
import { HOST_LOWERING } from '../src/lower/lowering-options.js';
import { evaluate, graph, input, node, noise, relativeError, window } from './graphs.js';
import { convolution, windowOutput } from './reference.js';

type Case = {
  readonly name: string;
  readonly x: [number, number, number, number];
  readonly channels: number;
  readonly window: Window;
  readonly plan?: readonly [number, number];
};

const same3 = window([3, 3], { padding: [1, 1, 1, 1] });

const CASES: readonly Case[] = [
  { name: 'Winograd, same padding', x: [3, 8, 8, 16], channels: 24, window: same3 },
  { name: 'Winograd, odd size', x: [2, 7, 9, 16], channels: 16, window: same3 },
  { name: 'Winograd, no padding', x: [2, 6, 10, 16], channels: 16, window: window([3, 3]) },
  { name: 'Winograd, padding 3', x: [2, 6, 6, 16], channels: 16, window: window([3, 3], { padding: [3, 3, 3, 3] }) },
  { name: 'Winograd, asymmetric padding', x: [2, 5, 6, 17], channels: 19, window: window([3, 3], { padding: [0, 2, 1, 3] }) },
  { name: 'Winograd, 2×2 image', x: [1, 2, 2, 16], channels: 16, window: same3 },
  { name: 'Winograd, output 1×1', x: [4, 3, 3, 16], channels: 16, window: window([3, 3]) },
  { name: 'Winograd, tiles of 4', x: [6, 16, 12, 32], channels: 32, window: same3, plan: [4, 4] },
  { name: 'Winograd, tiles of 4 and 2', x: [6, 6, 16, 32], channels: 32, window: same3, plan: [2, 4] },
  { name: 'Winograd, tiles of 2', x: [12, 6, 6, 32], channels: 32, window: same3, plan: [2, 2] },
  { name: 'Winograd, tiles that hang over the edge', x: [8, 7, 11, 32], channels: 24, window: same3, plan: [4, 4] },
  { name: 'one channel, padding 3', x: [3, 12, 12, 1], channels: 8, window: window([3, 3], { padding: [3, 3, 3, 3] }) },
  { name: 'three channels', x: [2, 7, 5, 3], channels: 20, window: same3 },
  { name: 'three channels, 5×5, asymmetric padding', x: [2, 8, 9, 3], channels: 4, window: window([5, 5], { padding: [2, 0, 1, 3] }) },
  { name: 'three channels, stride 2', x: [2, 9, 8, 3], channels: 6, window: window([3, 3], { strides: [2, 2], padding: [1, 1, 1, 1] }) },
  { name: 'three channels, dilated', x: [2, 9, 8, 3], channels: 6, window: window([3, 3], { dilations: [2, 3], padding: [2, 3, 2, 3] }) },
  { name: 'three channels, window past the image', x: [1, 4, 4, 3], channels: 2, window: window([2, 2], { padding: [3, 3, 2, 2] }) },
  { name: 'pointwise', x: [2, 4, 5, 18], channels: 20, window: window([1, 1]) },
  { name: 'pointwise with padding', x: [2, 4, 5, 18], channels: 20, window: window([1, 1], { padding: [1, 0, 2, 1] }) },
  { name: 'generic, stride 2', x: [2, 8, 8, 16], channels: 18, window: window([3, 3], { strides: [2, 2], padding: [1, 1, 1, 1] }) },
  {
    name: 'generic, stride 2, same padding of an even size',
    x: [2, 8, 8, 16],
    channels: 18,
    window: window([3, 3], { strides: [2, 2], padding: [0, 0, 1, 1] }),
  },
  {
    name: 'generic, stride 3 with columns left over',
    x: [2, 11, 9, 16],
    channels: 17,
    window: window([2, 4], { strides: [3, 2], padding: [0, 1, 2, 0] }),
  },
  { name: 'generic, dilated', x: [2, 9, 10, 16], channels: 16, window: window([3, 3], { dilations: [2, 2], padding: [2, 2, 2, 2] }) },
  {
    name: 'generic, dilated and strided',
    x: [2, 12, 11, 16],
    channels: 16,
    window: window([3, 2], { strides: [2, 3], dilations: [2, 3], padding: [1, 0, 2, 2] }),
  },
  { name: 'generic, 5×5', x: [2, 9, 9, 16], channels: 18, window: window([5, 5], { padding: [2, 2, 2, 2] }) },
  { name: 'generic, pointwise stride 2', x: [2, 7, 8, 16], channels: 18, window: window([1, 1], { strides: [2, 2] }) },
  { name: 'channels and images by threes', x: [6, 5, 4, 9], channels: 8, window: same3 },
  { name: 'one padded pixel', x: [2, 1, 1, 16], channels: 16, window: same3 },
  { name: 'many channels to few', x: [2, 6, 6, 16], channels: 3, window: same3 },
];

describe('convolution and both gradients agree with the definition', () => {
  it.each(CASES)('$name', async ({ x: xShape, channels, window: geometry, plan }) => {
    const wShape = [...geometry.kernel, xShape[3], channels];
    const yShape = [xShape[0], ...windowOutput(xShape, geometry), channels];
    if (plan) {
      const convolution = { window: geometry, x: xShape, filter: wShape, y: yShape };
      expect(planConvolution(convolution, HOST_LOWERING)).toEqual({ method: 'winograd', tile: plan });
    }
    const data = [noise(xShape, 1), noise(wShape, 2), noise(yShape, 3)] as const;
    const [x, w, dy] = [input(0, xShape), input(1, wShape), input(2, yShape)];
    const outputs = [
      node('Conv', [x, w], geometry, yShape),
      node('ConvInputGrad', [dy, w], geometry, xShape),
      node('ConvFilterGrad', [x, dy], geometry, wShape),
    ];
    const expected = convolution(
      { data: data[0], shape: xShape },
      { data: data[1], shape: wShape },
      { data: data[2], shape: yShape },
      geometry,
    );
    const [y = [], dx = [], dw = []] = await evaluate(graph([x, w, dy], outputs), data);
    expect(relativeError(y, expected.y)).toBeLessThanOrEqual(1e-5);
    expect(relativeError(dx, expected.dx)).toBeLessThanOrEqual(1e-5);
    expect(relativeError(dw, expected.dw)).toBeLessThanOrEqual(1e-5);
  });

  it('shares the transforms between a convolution and its gradients', async () => {
    const { lowerGraph } = await import('../src/lower/lower.js');
    const [x, w, dy] = [input(0, [2, 8, 8, 16]), input(1, [3, 3, 16, 16]), input(2, [2, 8, 8, 16])];
    const forward = node('Conv', [x, w], same3, [2, 8, 8, 16]);
    const inputGrad = node('ConvInputGrad', [dy, w], same3, [2, 8, 8, 16]);
    const filterGrad = node('ConvFilterGrad', [x, dy], same3, [3, 3, 16, 16]);
    const products = (...outputs: ReturnType<typeof node>[]) =>
      lowerGraph(graph([x, w, dy], outputs), 'test').model.nodes.filter(({ op }) => op === 'MatMul' || op === 'FusedMatMul').length;
    const alone = products(forward) + products(inputGrad) + products(filterGrad);
    // Used twice each: V, of two products, and dM and U, of one.
    expect(products(forward, inputGrad, filterGrad)).toBe(alone - 4);
  });
});

describe('the plan of a convolution', () => {
  const plan = (n: number, size: number, channels: number, options = HOST_LOWERING, strides: [number, number] = [1, 1]) => {
    const pooled = size / strides[0];
    const geometry = window([3, 3], { padding: [1, 1, 1, 1], strides });
    const shapes = { x: [n, size, size, channels], filter: [3, 3, channels, channels], y: [n, pooled, pooled, channels] };
    return planConvolution({ window: geometry, ...shapes }, options);
  };

  it('takes large tiles for large images, small ones where the transformed filter outweighs the image, none for the smallest', () => {
    expect(plan(10, 16, 128)).toEqual({ method: 'winograd', tile: [4, 4] });
    expect(plan(10, 4, 512)).toEqual({ method: 'winograd', tile: [2, 2] });
    expect(plan(10, 2, 512)).toEqual({ method: 'patches' });
  });

  it('takes large tiles again for many small images', () => {
    expect(plan(400, 4, 512)).toEqual({ method: 'winograd', tile: [4, 4] });
  });

  it('takes patches where it strides or is to be precise, and ONNX convolutions where asked', () => {
    expect(plan(10, 16, 128, HOST_LOWERING, [2, 2])).toEqual({ method: 'patches' });
    expect(plan(10, 16, 128, { ...HOST_LOWERING, precise: true })).toEqual({ method: 'patches' });
    expect(plan(10, 16, 128, { ...HOST_LOWERING, convolution: 'direct' })).toEqual({ method: 'onnx' });
  });
});
