import { jsRuntime } from '@bpc/compiler';
import type { HostTensor, HostTree, Network, Tree } from '@bpc/core';
import { classTargets, crossEntropy, disposeTree, ensureHostBackend, isTensor, key, normal } from '@bpc/core';
import { gradientCheck } from '@bpc/core/testing';
import { alexNet, resNet18, vgg11 } from '@bpc/models';
import type { Scalar } from '@tensorflow/tfjs-core';
import { mean } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(() => ensureHostBackend());

const widths = (count: number, width: number) => Array.from({ length: count }, () => width);

/** Numbers of a tree of records, with their shapes. */
function host(tree: Tree): HostTree {
  if (isTensor(tree)) return { data: Float64Array.from(tree.dataSync()), shape: tree.shape } satisfies HostTensor;
  return Object.fromEntries(Object.entries(tree).map(([name, child]) => [name, host(child as Tree)]));
}

// The smallest images that each can take: a point is away from the kinks of ReLU and max pooling only if there are few.
describe('first and second derivatives in float64 agree with central differences', () => {
  it.each<[string, Network<Tree>, seed: number]>([
    ['AlexNet', alexNet({ inputShape: [8, 8, 1], outputs: 2, widths: widths(5, 2) }), 0],
    ['AlexNet with instance norm', alexNet({ inputShape: [9, 8, 1], outputs: 2, widths: widths(5, 2), norm: 'instance' }), 0],
    ['VGG11 without norm', vgg11({ inputShape: [32, 32, 1], outputs: 2, widths: widths(8, 2), norm: 'none' }), 0],
    ['ResNet18-AP', resNet18({ inputShape: [16, 16, 1], outputs: 2, widths: [2, 1, 2, 1], downsampling: 'pool' }), 0],
    ['ResNet18', resNet18({ inputShape: [25, 25, 1], outputs: 2, widths: [1, 1, 1, 2] }), 0],
  ])('for %s', async (_, network, seed) => {
    const images = normal(key(seed), [1, ...network.inputShape]);
    const labels = classTargets([1], 2);
    const params = network.init(key(seed + 1));
    const energy = (p: Tree) => mean(crossEntropy(network.apply(p, images), labels)) as Scalar;
    const runtime = jsRuntime();
    const density = await runtime.density(energy, host(params));
    const gradient = new Float64Array(density.size);
    density.evaluate(density.flatten(host(params)), gradient);
    // A network that is mostly dead would agree with anything.
    expect(gradient.filter((g) => g !== 0).length / density.size).toBeGreaterThan(0.4);
    await density.dispose();
    await gradientCheck(energy, host(params), { runtime, step: 1e-6, tolerance: 1e-5 });
    disposeTree([images, labels, params]);
    await runtime.dispose();
  });
});
