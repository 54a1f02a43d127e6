import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import { broadcast_util, broadcastTo, fill, reshape, sum, util } from '@tensorflow/tfjs-core';

/** Gradients per input, evaluated only for the inputs that need one. */
export type InputGradients = { readonly [input: string]: () => Tensor };

/**
 * A gradient rule that saves inputs only and is built from differentiable operations, so that it holds at any order.
 *
 * Saving outputs is what breaks tfjs-core's own rules: a saved output is a constant to the next derivative.
 * `A` is the type of the kernel's attributes, which tfjs-core leaves open.
 */
export function rule<A = object, const S extends string = never>(
  kernelName: string,
  save: readonly S[],
  gradient: (dy: Tensor, saved: { readonly [name in S]: Tensor }, attributes: A) => InputGradients,
): GradConfig {
  return {
    kernelName,
    inputsToSave: [...save],
    gradFunc: (dy, tensors, attributes) => {
      const saved = Object.fromEntries(save.map((name, i) => [name, tensors[i]])) as { [name in S]: Tensor };
      return gradient(single(dy), saved, attributes as A);
    },
  };
}

/** tfjs hands one tensor to rules of kernels with one output. */
export function single(dy: Tensor | Tensor[]): Tensor {
  return Array.isArray(dy) ? (dy[0] as Tensor) : dy;
}

/** All-zero gradients for functions that are constant almost everywhere. */
export function zeroRule(kernelName: string, inputs: readonly string[]): GradConfig {
  return {
    kernelName,
    inputsToSave: [...inputs],
    gradFunc: (_, saved) => Object.fromEntries(inputs.map((name, i) => [name, () => zeros((saved[i] as Tensor).shape)])),
  };
}

/** Zeros as one kernel: `tf.zeros` would fill a host array, which a tracer has to carry as a constant. */
export function zeros(shape: readonly number[]): Tensor {
  return fill([...shape], 0);
}

/** The adjoint of broadcasting to the shape of `dy`. Always a fresh tensor: tfjs disposes gradients as it accumulates. */
export function sumTo(dy: Tensor, shape: readonly number[]): Tensor {
  const axes = broadcast_util.getReductionAxes([...shape], dy.shape);
  return reshape(axes.length > 0 ? sum(dy, axes) : dy, [...shape]);
}

/** Undoes a reduction of `shape` over `axis`: `reduced` (with or without the reduced axes) repeated to `shape`. */
export function expandReduced(reduced: Tensor, shape: readonly number[], axes: readonly number[]): Tensor {
  return broadcastTo(reshape(reduced, keptShape(shape, axes)), [...shape]);
}

/** `shape` with the reduced axes of length 1. */
export function keptShape(shape: readonly number[], axes: readonly number[]): number[] {
  return shape.map((length, i) => (axes.includes(i) ? 1 : length));
}

/** The non-negative axes that a kernel attribute stands for; null means all. */
export function reducedAxes(axis: number | number[] | null | undefined, shape: readonly number[]): number[] {
  return util.parseAxisParam(axis ?? shape.map((_, i) => i), [...shape]);
}
