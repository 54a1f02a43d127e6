import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import { matMul, reshape } from '@tensorflow/tfjs-core';
import { constant } from '../constant.js';
import { bilinearWeights, nearestPositions, type ResizeGrid } from '../resize-grid.js';
import { rule } from './rule.js';

type Attributes = { readonly alignCorners: boolean; readonly halfPixelCenters: boolean; readonly size: readonly [number, number] };

const nearestWeights = (grid: ResizeGrid): Float64Array => {
  const weights = new Float64Array(grid.outputs * grid.inputs);
  nearestPositions(grid).forEach((position, output) => {
    weights[output * grid.inputs + position] = 1;
  });
  return weights;
};

/**
 * Resizing multiplies height and width by constant matrices; its adjoint by their transposes. tfjs' own gradients ignore
 * half-pixel centres, and have no gradient themselves.
 */
const resizeRule = (kernelName: string, weights: (grid: ResizeGrid) => Float64Array): GradConfig =>
  rule<Attributes, 'images'>(kernelName, ['images'], (dy, { images }, { alignCorners, halfPixelCenters, size }) => ({
    images: () => {
      const [n = 1, h = 1, w = 1, c = 1] = images.shape;
      const [oh, ow] = size;
      const matrix = (inputs: number, outputs: number): Tensor =>
        constant({ data: weights({ inputs, outputs, alignCorners, halfPixelCenters }), shape: [1, outputs, inputs] });
      const rows = matMul(matrix(h, oh), reshape(dy, [n, oh, ow * c]), true);
      return reshape(matMul(matrix(w, ow), reshape(rows, [n * h, ow, c]), true), images.shape);
    },
  }));

export const resizeRules: readonly GradConfig[] = [
  resizeRule('ResizeBilinear', bilinearWeights),
  resizeRule('ResizeNearestNeighbor', nearestWeights),
];
