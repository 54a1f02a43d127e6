import { add, matMul, setBackend, tensor, zeros } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { ConfigError, disposeTree, type FeatureNetwork, key, normal, ShapeError, treeEntries, treeLeaves } from '@bpc/core';
import { assertClose } from '@bpc/core/testing';
import { type Affine, alexNet, convNet, mlp, resNet18, vgg11 } from '@bpc/models';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await setBackend('cpu');
});

const cifar = [32, 32, 3] as const;

describe('parameter counts', () => {
  it.each([
    ['ConvNet D3 W128, CIFAR10', convNet({ inputShape: cifar, outputs: 10 }), 320_010],
    ['ConvNet D3 W128, MNIST', convNet({ inputShape: [28, 28, 1], outputs: 10 }), 317_706],
    ['ConvNet D3 W256', convNet({ inputShape: cifar, outputs: 10, width: 256 }), 1_229_834],
    ['ConvNet D5 W128', convNet({ inputShape: cifar, outputs: 10, depth: 5 }), 596_490],
    ['ConvNet D3 W128, CIFAR100', convNet({ inputShape: cifar, outputs: 100 }), 504_420],
    ['ConvNet D3 W128, Tiny ImageNet', convNet({ inputShape: [64, 64, 3], outputs: 200 }), 1_938_120],
    ['ConvNet D4 W128, Tiny ImageNet', convNet({ inputShape: [64, 64, 3], outputs: 200, depth: 4 }), 857_160],
    ['AlexNet', alexNet({ inputShape: cifar, outputs: 10 }), 1_872_202],
    ['VGG11', vgg11({ inputShape: cifar, outputs: 10 }), 9_231_114],
    ['ResNet18', resNet18({ inputShape: cifar, outputs: 10 }), 11_173_962],
    ['ResNet18-AP', resNet18({ inputShape: cifar, outputs: 10, downsampling: 'pool' }), 11_250_762],
    ['MLP(128, 128)', mlp({ inputShape: cifar, outputs: 10, hidden: [128, 128] }), 411_146],
  ])('of %s is the published one, and init makes exactly that many', (_, network, count) => {
    const params = network.init(key(0));
    expect(network.parameterCount).toBe(count);
    expect(treeLeaves(params).reduce((total, leaf) => total + leaf.size, 0)).toBe(count);
    disposeTree(params);
  });

  // Without instance norm 2 numbers per channel go, and 28×28×1 images are padded to 32×32.
  it.each([
    ['AlexNet with norm', alexNet({ inputShape: cifar, outputs: 10, norm: 'instance' }), 1_872_202 + 2 * (128 + 192 + 256 + 192 + 192)],
    ['AlexNet on digits', alexNet({ inputShape: [28, 28, 1], outputs: 10 }), 1_872_202 - 2 * 25 * 128],
    ['VGG11 without norm', vgg11({ inputShape: cifar, outputs: 10, norm: 'none' }), 9_231_114 - 2 * (64 + 128 + 2 * 256 + 4 * 512)],
    ['VGG11 on digits', vgg11({ inputShape: [28, 28, 1], outputs: 10 }), 9_231_114 - 2 * 9 * 64],
    ['ResNet18 on digits', resNet18({ inputShape: [28, 28, 1], outputs: 10 }), 11_173_962 - 2 * 9 * 64],
    ['ResNet18-AP on digits', resNet18({ inputShape: [28, 28, 1], outputs: 10, downsampling: 'pool' }), 11_250_762 - 2 * 9 * 64 - 7 * 5120],
  ])('of %s follow from the published one', (_, network, count) => {
    expect(network.parameterCount).toBe(count);
  });
});

describe('features', () => {
  const small = [16, 16, 3] as const;
  const large = [32, 32, 3] as const;
  it.each([
    ['ConvNet', convNet({ inputShape: small, outputs: 4, width: 3 }), small],
    ['ConvNet without norm', convNet({ inputShape: small, outputs: 4, width: 3, norm: 'none' }), small],
    ['AlexNet', alexNet({ inputShape: small, outputs: 4, widths: [2, 3, 2, 3, 2] }), small],
    ['VGG11', vgg11({ inputShape: large, outputs: 4, widths: [2, 2, 2, 2, 2, 2, 2, 3] }), large],
    ['ResNet18', resNet18({ inputShape: large, outputs: 4, widths: [2, 2, 2, 3] }), large],
    ['MLP', mlp({ inputShape: small, outputs: 4, hidden: [6, 5] }), small],
    ['linear model', mlp({ inputShape: small, outputs: 4, hidden: [] }), small],
  ] as const)('of %s are what its last layer maps to its outputs', (_, network, shape) => {
    const { init, features, apply, featureCount } = network as unknown as FeatureNetwork<{ readonly dense: Affine }>;
    const params = init(key(1));
    const images = normal(key(2), [2, ...shape]);
    const penultimate = features(params, images);
    expect(penultimate.shape).toEqual([2, featureCount]);
    const outputs = add(matMul(penultimate, params.dense.kernel), params.dense.bias);
    assertClose('outputs', apply(params, images), outputs, 1e-5);
    disposeTree([params, images, penultimate, outputs]);
  });
});

describe('initialisation', () => {
  const network = convNet({ inputShape: cifar, outputs: 10 });

  it('draws kernels and biases uniformly on ±1/√fan_in', () => {
    const params = network.init(key(3));
    const fanIn: Record<string, number> = { conv0: 27, conv1: 1152, conv2: 1152, dense: 2048 };
    for (const [layer, inputs] of Object.entries(fanIn)) {
      const bound = 1 / Math.sqrt(inputs);
      const { kernel, bias } = params[layer] as { kernel: ReturnType<typeof tensor>; bias: ReturnType<typeof tensor> };
      const values = Array.from(kernel.dataSync());
      const count = values.length;
      const mean = values.reduce((a, b) => a + b, 0) / count;
      const variance = values.reduce((a, b) => a + b * b, 0) / count;
      // Five standard errors; the fourth moment of a uniform is bound⁴/5, so var(x²) = bound⁴ (1/5 − 1/9).
      expect(Math.abs(mean)).toBeLessThan((5 * bound) / Math.sqrt(3 * count));
      expect(Math.abs(variance - bound ** 2 / 3)).toBeLessThan(5 * bound ** 2 * Math.sqrt((1 / 5 - 1 / 9) / count));
      const [smallest, largest] = values.reduce<[number, number]>(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [0, 0]);
      expect(Math.max(-smallest, largest)).toBeLessThanOrEqual(bound * (1 + 1e-6));
      // The extremes of `count` uniforms miss the ends by about bound·2/count.
      expect(largest).toBeGreaterThan(bound * (1 - 40 / count));
      expect(smallest).toBeLessThan(-bound * (1 - 40 / count));
      expect(Math.max(...Array.from(bias.dataSync(), Math.abs))).toBeLessThanOrEqual(bound * (1 + 1e-6));
      expect(new Set(bias.dataSync()).size).toBeGreaterThan(bias.size / 2);
    }
    disposeTree(params);
  });

  it('starts instance norms at gain 1 and bias 0', () => {
    const params = network.init(key(3));
    const { gamma, beta } = params['norm1'] as { gamma: ReturnType<typeof tensor>; beta: ReturnType<typeof tensor> };
    expect(new Set(gamma.dataSync())).toEqual(new Set([1]));
    expect(new Set(beta.dataSync())).toEqual(new Set([0]));
    disposeTree(params);
  });

  it('is equal for equal keys and different, layer by layer, for others', () => {
    const small = convNet({ inputShape: [8, 8, 1], outputs: 2, depth: 2, width: 3 });
    const [a, b, c] = [small.init(key(1)), small.init(key(1)), small.init(key(2))];
    const values = (tree: typeof a) => treeEntries(tree).map(([path, leaf]) => [path, Array.from(leaf.dataSync())] as const);
    expect(values(a)).toEqual(values(b));
    values(a).forEach(([path, numbers], i) => {
      if (!path.startsWith('norm')) expect(numbers).not.toEqual(values(c)[i]?.[1]);
    });
    for (const tree of [a, b, c]) disposeTree(tree);
  });
});

describe('shapes', () => {
  it.each([
    ['28×28 images padded to 32', convNet({ inputShape: [28, 28, 1], outputs: 10, width: 4 }), [28, 28, 1], 10],
    ['odd sizes', convNet({ inputShape: [13, 11, 2], outputs: 3, width: 4, depth: 2 }), [13, 11, 2], 3],
    [
      'no norm and max pooling',
      convNet({ inputShape: [9, 9, 2], outputs: 3, width: 4, depth: 2, norm: 'none', pool: 'max' }),
      [9, 9, 2],
      3,
    ],
    ['AlexNet on digits', alexNet({ inputShape: [28, 28, 1], outputs: 3, widths: [2, 3, 2, 3, 2] }), [28, 28, 1], 3],
    ['VGG11 on 64×64 images', vgg11({ inputShape: [64, 64, 3], outputs: 5, widths: [2, 2, 2, 2, 2, 2, 2, 2] }), [64, 64, 3], 5],
    ['ResNet18 on digits', resNet18({ inputShape: [28, 28, 1], outputs: 3, widths: [2, 3, 4, 5] }), [28, 28, 1], 3],
    [
      'ResNet18-AP on odd sizes',
      resNet18({ inputShape: [17, 19, 2], outputs: 3, widths: [2, 2, 2, 3], downsampling: 'pool' }),
      [17, 19, 2],
      3,
    ],
    ['a linear model', mlp({ inputShape: [5], outputs: 1, hidden: [] }), [5], 1],
    ['a tanh MLP on images', mlp({ inputShape: [4, 4, 1], outputs: 2, hidden: [7], activation: 'tanh' }), [4, 4, 1], 2],
  ])('are [n, outputs] for %s', (_, network, shape, outputs) => {
    const params = network.init(key(0));
    expect(network.apply(params as never, zeros([2, ...shape])).shape).toEqual([2, outputs]);
  });

  it('computes a linear model exactly', () => {
    const linear = mlp({ inputShape: [2], outputs: 1, hidden: [] });
    const params = { dense: { kernel: tensor([[2], [-1]]), bias: tensor([0.5]) } };
    expect(
      Array.from(
        linear
          .apply(
            params,
            tensor([
              [1, 3],
              [0, 2],
            ]),
          )
          .dataSync(),
      ),
    ).toEqual([-0.5, -1.5]);
  });
});

describe('options', () => {
  it.each([
    ['depth', () => convNet({ inputShape: cifar, outputs: 10, depth: 0 })],
    ['width', () => convNet({ inputShape: cifar, outputs: 10, width: 1.5 })],
    ['outputs', () => convNet({ inputShape: cifar, outputs: -1 })],
    ['depth', () => convNet({ inputShape: [4, 4, 1], outputs: 10, depth: 3 })],
    ['pool', () => convNet({ inputShape: cifar, outputs: 10, pool: 'sum' as never })],
    ['norm', () => convNet({ inputShape: cifar, outputs: 10, norm: 'batch' as never })],
    ['widths', () => alexNet({ inputShape: cifar, outputs: 10, widths: [1, 2, 3] })],
    ['inputShape', () => alexNet({ inputShape: [6, 6, 3], outputs: 10 })],
    ['firstPadding', () => alexNet({ inputShape: cifar, outputs: 10, firstPadding: -1 })],
    ['norm', () => alexNet({ inputShape: cifar, outputs: 10, norm: 'group' as never })],
    ['inputShape', () => vgg11({ inputShape: [16, 16, 3], outputs: 10 })],
    ['widths', () => vgg11({ inputShape: cifar, outputs: 10, widths: [64, 128, 256, 256, 512, 512, 512, 0] })],
    ['outputs', () => vgg11({ inputShape: cifar, outputs: 0 })],
    ["inputShape's channels", () => resNet18({ inputShape: [32, 32, 0], outputs: 10 })],
    ['inputShape', () => resNet18({ inputShape: [24, 32, 3], outputs: 10 })],
    ['downsampling', () => resNet18({ inputShape: cifar, outputs: 10, downsampling: 'max' as never })],
    ['hidden', () => mlp({ inputShape: [3], outputs: 1, hidden: [0] })],
    ['activation', () => mlp({ inputShape: [3], outputs: 1, activation: 'toString' as never })],
  ])('refuses a bad %s by name', (name, make) => {
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(new RegExp(name));
  });
});

describe('parameters of another network', () => {
  it.each([
    ['AlexNet', alexNet({ inputShape: cifar, outputs: 2, widths: [1, 1, 1, 1, 1] }), /'conv0'/],
    ['VGG11', vgg11({ inputShape: cifar, outputs: 2, widths: [1, 1, 1, 1, 1, 1, 1, 1] }), /'conv0'/],
    ['ConvNet', convNet({ inputShape: cifar, outputs: 2, width: 1 }), /'conv0'/],
    ['ResNet18', resNet18({ inputShape: cifar, outputs: 2, widths: [1, 1, 1, 1] }), /stem/],
  ])('are refused by %s with the name of what is missing', (_, network, name) => {
    const others = mlp({ inputShape: cifar, outputs: 2, hidden: [] }).init(key(0));
    expect(() => network.apply(others as never, zeros([1, ...cifar]))).toThrow(ShapeError);
    expect(() => network.apply(others as never, zeros([1, ...cifar]))).toThrow(name);
    disposeTree(others);
  });
});
