import type { FeatureNetwork, Key } from '@bpc/core';
import { avgPool, ConfigError, flattenImages, foldIn, ShapeError } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { add, relu, tidy } from '@tensorflow/tfjs-core';
import type { Affine, Kernel, Norm } from './init.js';
import { checkCount, checkImageShape, checkWidths, initAffine, initKernel, initNorm } from './init.js';
import { checkChoice, convolve, convolveNormalised, countOf, denseLayer, lengthAfter, normalise } from './layers.js';

/** Options of `resNet18`. */
export interface ResNet18Options {
  /** Height, width and channels of one image. */
  readonly inputShape: readonly [number, number, number];
  readonly outputs: number;
  /** Channels of the four stages. Default 64, 128, 256, 512. */
  readonly widths?: readonly number[];
  /**
   * How the second, third and fourth stage halve the image: `'stride'` (default, the original) or `'pool'`, 2×2 average
   * pooling after a convolution of stride 1, with no pooling before the dense layer (ResNet18-AP of dataset condensation).
   */
  readonly downsampling?: 'stride' | 'pool';
  /** Added to the variance in the instance norm. Default 1e-5. */
  readonly epsilon?: number;
}

/** One residual block; `shortcut` where the shape changes. */
export type ResNetBlock = {
  readonly conv0: Kernel;
  readonly norm0: Norm;
  readonly conv1: Kernel;
  readonly norm1: Norm;
  readonly shortcut?: { readonly conv: Kernel; readonly norm: Norm };
};

/** Two blocks; only the first changes the shape. */
export type ResNetStage = { readonly block0: ResNetBlock; readonly block1: ResNetBlock };

/** The first convolution, four stages, and the output layer. */
export type ResNet18Params = {
  readonly stem: { readonly conv: Kernel; readonly norm: Norm };
  readonly stage0: ResNetStage;
  readonly stage1: ResNetStage;
  readonly stage2: ResNetStage;
  readonly stage3: ResNetStage;
  readonly dense: Affine;
};

interface BlockPlan {
  readonly inputs: number;
  readonly width: number;
  readonly halves: boolean;
}

type StagePlan = readonly [BlockPlan, BlockPlan];

const stagePlan = (stage: number, inputs: number, width: number): StagePlan => [
  { inputs, width, halves: stage > 0 },
  { inputs: width, width, halves: false },
];

const hasShortcut = ({ inputs, width, halves }: BlockPlan) => halves || inputs !== width;

function kernelShapes(plan: BlockPlan): readonly [number[], number[], number[]?] {
  const { inputs, width } = plan;
  const own: [number[], number[]] = [
    [3, 3, inputs, width],
    [3, 3, width, width],
  ];
  return hasShortcut(plan) ? [...own, [1, 1, inputs, width]] : own;
}

function initBlock(key: Key, plan: BlockPlan): ResNetBlock {
  const [first, second, shortcut] = kernelShapes(plan);
  return {
    conv0: initKernel(foldIn(key, 0), first),
    norm0: initNorm(plan.width),
    conv1: initKernel(foldIn(key, 1), second),
    norm1: initNorm(plan.width),
    ...(shortcut === undefined ? {} : { shortcut: { conv: initKernel(foldIn(key, 2), shortcut), norm: initNorm(plan.width) } }),
  };
}

const initStage = (key: Key, [first, second]: StagePlan): ResNetStage => ({
  block0: initBlock(foldIn(key, 0), first),
  block1: initBlock(foldIn(key, 1), second),
});

/**
 * ResNet18 for small images: a 3×3 convolution, four stages of two residual blocks, 4×4 average pooling, a dense layer;
 * instance norm after every convolution, which has no bias.
 *
 * A block is relu(norm(conv(relu(norm(conv(x))))) + s(x)), where s is a 1×1 convolution with norm if the shape changes and
 * x itself otherwise. He et al. 2016, as used by Zhao et al. 2021; 11 173 962 parameters for 32×32×3 images and 10
 * classes. Initialised like PyTorch's: kernels and biases uniform on ±1/√fan_in, gains 1, norm biases 0.
 *
 * @throws ConfigError for sizes that are not positive integers or images that are too small.
 * @example
 * ```ts
 * import { resNet18 } from '@bpc/models';
 * const network = resNet18({ inputShape: [32, 32, 3], outputs: 10 }); // network.parameterCount is 11173962
 * ```
 */
export function resNet18(options: ResNet18Options): FeatureNetwork<ResNet18Params> {
  const { inputShape, outputs, widths = [64, 128, 256, 512], downsampling = 'stride', epsilon = 1e-5 } = options;
  checkImageShape(inputShape);
  checkWidths('widths', widths, 4);
  checkCount('outputs', outputs);
  checkChoice('downsampling', downsampling, ['stride', 'pool']);
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = widths;
  const stem = [3, 3, inputShape[2], w0];
  const plans = [stagePlan(0, w0, w0), stagePlan(1, w0, w1), stagePlan(2, w1, w2), stagePlan(3, w2, w3)] as const;
  const pooling = downsampling === 'pool';
  const sizeAfter = (length: number) => {
    const last = plans
      .flat()
      .reduce((size, { halves }) => (halves ? lengthAfter(size, pooling ? 2 : 3, 2, pooling ? 0 : 1) : size), length);
    return pooling ? last : Math.floor(last / 4);
  };
  const [h, w] = [sizeAfter(inputShape[0]), sizeAfter(inputShape[1])];
  if (h < 1 || w < 1) {
    const smallest = pooling ? 8 : 25;
    throw new ConfigError(`inputShape is [${inputShape}], too small for ResNet18`, `use images of at least ${smallest}x${smallest} pixels`);
  }
  const dense = [h * w * w3, outputs];
  const shapes = plans.flat().flatMap((plan) => {
    const kernels = kernelShapes(plan).filter((shape) => shape !== undefined);
    return [...kernels, ...kernels.map(() => [2, plan.width])];
  });

  const block = (params: ResNetBlock, x: Tensor, plan: BlockPlan): Tensor => {
    const stride = plan.halves && !pooling ? 2 : 1;
    const pool = (image: Tensor) => (plan.halves && pooling ? avgPool(image, 2, 2) : image);
    const inner = pool(relu(convolveNormalised(x, params.conv0, params.norm0, stride, 1, epsilon)));
    const outer = convolveNormalised(inner, params.conv1, params.norm1, 1, 1, epsilon);
    if (params.shortcut === undefined) return relu(add(outer, x));
    return relu(add(outer, normalise(pool(convolve(x, params.shortcut.conv, stride, 0)), params.shortcut.norm, epsilon)));
  };

  const features = (params: ResNet18Params, x: Tensor): Tensor => {
    // Trees read from files may be of another network, whatever their type says.
    const absent = ['stem', 'stage0', 'stage1', 'stage2', 'stage3', 'dense'].find((name) => !(name in params));
    if (absent !== undefined) throw new ShapeError(`params has no layer '${absent}'`, 'pass parameters of this network');
    const stages = [params.stage0, params.stage1, params.stage2, params.stage3];
    return tidy(() => {
      let maps = relu(convolveNormalised(x, params.stem.conv, params.stem.norm, 1, 1, epsilon));
      plans.forEach(([first, second], i) => {
        const stage = stages[i];
        if (stage !== undefined) maps = block(stage.block1, block(stage.block0, maps, first), second);
      });
      return flattenImages(pooling ? maps : avgPool(maps, 4, 4));
    });
  };

  return {
    inputShape,
    outputs,
    parameterCount: countOf([stem, [2, w0], ...shapes, dense, [outputs]]),
    init: (key: Key) => ({
      stem: { conv: initKernel(foldIn(key, 0), stem), norm: initNorm(w0) },
      stage0: initStage(foldIn(key, 1), plans[0]),
      stage1: initStage(foldIn(key, 2), plans[1]),
      stage2: initStage(foldIn(key, 3), plans[2]),
      stage3: initStage(foldIn(key, 4), plans[3]),
      dense: initAffine(foldIn(key, 5), dense),
    }),
    features,
    featureCount: h * w * w3,
    apply: (params: ResNet18Params, x: Tensor) => tidy(() => denseLayer(features(params, x), params.dense)),
  };
}
