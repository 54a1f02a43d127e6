import type { Layerwise, Tree } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { add, concat, expandDims, pad, reshape, slice, tidy } from '@tensorflow/tfjs-core';
import type { Affine } from './init.js';
import { convolveAffine, denseLayer } from './layers.js';

/** The affine layers of a forward pass, each under its path in the parameters. */
export interface AffineLayers {
  /** A convolution of stride 1, zero padded, with its bias. */
  convolve(name: string, x: Tensor, layer: Affine, padding: number): Tensor;
  dense(name: string, x: Tensor, layer: Affine): Tensor;
}

/** What `layerwise` gives its forward pass when the outputs count alone: a layer's result may be changed. */
const computed = (change: (name: string, outputs: Tensor) => Tensor): AffineLayers => ({
  convolve: (name, x, layer, padding) => change(name, convolveAffine(x, layer, padding)),
  dense: (name, x, layer) => change(name, denseLayer(x, layer)),
});

/** Patches of a convolution of stride 1 in the order of its kernel: `[n, positions, kh·kw·channels]`. */
export function imagePatches(x: Tensor, [kernelHeight, kernelWidth]: readonly [number, number], padding: number): Tensor {
  return tidy(() => {
    const padded = pad(x, [
      [0, 0],
      [padding, padding],
      [padding, padding],
      [0, 0],
    ]);
    const [n = 0, h = 0, w = 0, c = 0] = padded.shape;
    const [height, width] = [h - kernelHeight + 1, w - kernelWidth + 1];
    const moved = Array.from({ length: kernelHeight * kernelWidth }, (_, i) =>
      slice(padded, [0, Math.floor(i / kernelWidth), i % kernelWidth, 0], [n, height, width, c]),
    );
    return reshape(concat(moved, 3), [n, height * width, kernelHeight * kernelWidth * c]);
  });
}

/** The `layerwise` member of a network whose forward pass takes its affine layers from outside. */
export function layerwise<P extends Tree>(forward: (params: P, x: Tensor, layers: AffineLayers) => Tensor): Layerwise<P> {
  return {
    inputs: (params, x) =>
      tidy(() => {
        const inputs: Record<string, Tensor> = {};
        const plain = computed((_, outputs) => outputs);
        forward(params, x, {
          convolve: (name, images, layer, padding) => {
            const [height = 0, width = 0] = layer.kernel.shape;
            inputs[name] = imagePatches(images, [height, width], padding);
            return plain.convolve(name, images, layer, padding);
          },
          dense: (name, units, layer) => {
            inputs[name] = expandDims(units, 1);
            return plain.dense(name, units, layer);
          },
        });
        return inputs;
      }),
    shifted: (params, x, shifts) =>
      tidy(() =>
        forward(
          params,
          x,
          computed((name, outputs) => {
            const shift = shifts[name];
            return shift === undefined ? outputs : add(outputs, reshape(shift, outputs.shape));
          }),
        ),
      ),
  };
}
