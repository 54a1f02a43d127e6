import type { Layerwise, Network, Tree } from '@bpc/core';
import { convolveImages, disposeTree, key, normal, treeEntries } from '@bpc/core';
import { relativeDeviation } from '@bpc/core/testing';
import { alexNet, convNet, mlp, vgg11 } from '@bpc/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import { add, matMul, memory, mul, reshape, setBackend, tensor, tidy, zeros } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import './runtimes.js';
import { imagePatches } from '../src/layerwise.js';

beforeAll(async () => {
  await setBackend('cpu');
});

const networks: readonly (readonly [string, Network<never>])[] = [
  ['an mlp', mlp({ inputShape: [4, 4, 1], outputs: 3, hidden: [5, 4], activation: 'tanh' })],
  ['a linear model', mlp({ inputShape: [6], outputs: 3, hidden: [] })],
  ['a ConvNet', convNet({ inputShape: [8, 8, 3], outputs: 3, depth: 2, width: 4 })],
  ['a ConvNet without norm', convNet({ inputShape: [9, 8, 1], outputs: 3, depth: 2, width: 4, norm: 'none', pool: 'max' })],
  ['a wide ConvNet of 28×28 images', convNet({ inputShape: [28, 28, 1], outputs: 2, depth: 1, width: 20 })],
  ['an AlexNet', alexNet({ inputShape: [16, 16, 1], outputs: 3, widths: [3, 4, 4, 4, 3] })],
  ['a VGG', vgg11({ inputShape: [32, 32, 1], outputs: 2, widths: [2, 2, 2, 2, 2, 2, 2, 2], norm: 'none' })],
].map(([name, network]) => [name as string, network as unknown as Network<never>] as const);

describe.each(networks)('%s, layer by layer', (_, network) => {
  const look = () => network.layerwise as Layerwise<never>;
  const params = () => network.init(key(0)) as never;
  const images = () => normal(key(1), [2, ...network.inputShape]);

  it('has the outputs of apply', () => {
    const [p, x] = [params(), images()];
    expect(relativeDeviation(look().shifted(p, x, {}), network.apply(p, x))).toBeLessThan(1e-5);
  });

  it('has inputs for every kernel, whose product with it and bias is what the layer gives: shifting by minus that leaves zero', () => {
    const [p, x] = [params(), images()];
    const inputs = look().inputs(p, x);
    const leaves = new Map(treeEntries(p as Tree));
    const kernels = [...leaves.keys()].filter((path) => path.endsWith('/kernel')).map((path) => path.slice(0, -'/kernel'.length));
    expect(Object.keys(inputs).sort()).toEqual(kernels.sort());
    for (const layer of kernels) {
      const a = inputs[layer] as Tensor;
      const kernel = leaves.get(`${layer}/kernel`) as Tensor;
      const [n = 0, positions = 0, fanIn = 0] = a.shape;
      const units = kernel.shape.at(-1) ?? 0;
      expect(fanIn * units).toBe(kernel.size);
      const product = add(
        matMul(reshape(a, [n * positions, fanIn]), reshape(kernel, [fanIn, units])),
        leaves.get(`${layer}/bias`) as Tensor,
      );
      const shift = { [layer]: mul(reshape(product, [n, positions, units]), -1) };
      // The same as a layer with kernel and bias of zero, through a path that knows nothing of shifts.
      const silenced = treeEntries(p as Tree).reduce<Record<string, Record<string, Tensor>>>((tree, [path, leaf]) => {
        const [name = '', part = ''] = path.split('/');
        (tree[name] ??= {})[part] = name === layer ? zeros(leaf.shape) : leaf;
        return tree;
      }, {});
      const expected = network.apply(silenced as never, x).dataSync();
      const found = look().shifted(p, x, shift).dataSync();
      // Where a norm follows, it divides what rounding has left by √ε.
      found.forEach((value, i) => expect(Math.abs(value - (expected[i] ?? Number.NaN))).toBeLessThan(2e-3));
    }
  });

  it('leaks nothing', () => {
    const [p, x] = [params(), images()];
    const before = memory().numTensors;
    disposeTree(look().inputs(p, x) as Tree);
    look().shifted(p, x, {}).dispose();
    expect(memory().numTensors).toBe(before);
  });
});

describe('imagePatches', () => {
  it('lie in the order of a kernel, also one that is not square', () => {
    tidy(() => {
      const x = normal(key(2), [2, 5, 6, 2]);
      const kernel = tensor(
        Float32Array.from({ length: 3 * 2 * 2 * 4 }, (_, i) => Math.sin(i)),
        [3, 2, 2, 4],
      );
      const product = matMul(imagePatches(x, [3, 2], 0), reshape(kernel, [1, 12, 4]));
      expect(relativeDeviation(product, convolveImages(x, kernel, 1, 0))).toBeLessThan(1e-5);
    });
  });
});
