import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, cast, concat, div, equal, matMul, maximum, mul, ones, range, reshape, sqrt, sub, sum, zeros } from '@tensorflow/tfjs-core';
import { grad } from '../autodiff.js';
import { ShapeError } from '../errors.js';
import type { Layerwise } from '../model.js';
import { softmax } from '../ops.js';
import { scan } from '../scan.js';
import { scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { treeEntries, treeMap } from '../tree.js';
import { chunkLength, overChunks } from './chunks.js';

/** What outputs of the network are parameters of: logits of one label, or means of normals with a common precision. */
export type OutputLikelihood = { readonly kind: 'categorical' } | { readonly kind: 'gaussian'; readonly precision: number };

/** Factors of one layer's curvature. */
export type KroneckerFactors = {
  /** A = E[Σ_t a_t a_tᵀ], `[fan-in + 1, fan-in + 1]`: inputs with a one for the bias, summed over positions (no + 1 without a bias). */
  readonly inputs: Tensor;
  /** G = E[Σ_t g_t g_tᵀ]/T, `[units, units]`: gradients of log p in the layer's outputs, averaged over the T positions. */
  readonly outputs: Tensor;
};

/** Factors by layer, with the sum of weights: the Fisher matrix of a layer is about `weight · A ⊗ G`. */
export type NetworkFactors = { readonly layers: { readonly [layer: string]: KroneckerFactors }; readonly weight: Scalar };

/** Column c of a root V of the Fisher matrix of the outputs, V Vᵀ = E[∇log p ∇log pᵀ], for each row: `[n, outputs]`. */
function rootColumn(outputs: Tensor, column: Scalar, likelihood: OutputLikelihood): Tensor {
  const [, count = 0] = outputs.shape;
  const unit = cast(equal(range(0, count, 1, 'int32'), column), 'float32');
  if (likelihood.kind === 'gaussian') return mul(add(zeros(outputs.shape), unit), Math.sqrt(likelihood.precision));
  const p = softmax(outputs);
  return mul(sub(unit, p), sqrt(sum(mul(p, unit), 1, true)));
}

/** aᵀ diag(w) b over points and positions, for `[n, positions, k]` and weights `[n]`. */
function weightedProduct(a: Tensor, weights: Tensor): Tensor {
  const [n = 0, positions = 0, length = 0] = a.shape;
  const rows = [n * positions, length];
  return matMul(reshape(mul(a, reshape(weights, [n, 1, 1])), rows), reshape(a, rows), true);
}

/** Inputs of the layers with a column of ones where the layer has a bias. */
function homogeneous(inputs: { readonly [layer: string]: Tensor }, biased: ReadonlySet<string>): { readonly [layer: string]: Tensor } {
  return Object.fromEntries(
    Object.entries(inputs).map(([layer, a]) => [layer, biased.has(layer) ? concat([a, ones([...a.shape.slice(0, 2), 1])], 2) : a]),
  );
}

/**
 * Kronecker factors of the Fisher matrix of every affine layer at `params`, under weights of the points.
 *
 * The expectation over labels is taken exactly, by one backward pass per output instead of drawn labels, so that it is the
 * generalised Gauss–Newton matrix of both likelihoods. Dense layers: Martens & Grosse 2015; convolutions: Grosse & Martens
 * 2016 (KFC), which takes positions for uncorrelated. Exact for one dense layer with a Gaussian likelihood. Points are taken
 * `pointsAtOnce` at a time. Fresh tensors, constants to enclosing gradients.
 *
 * @throws ShapeError if a layer has no kernel at its path in the parameters.
 */
export function kroneckerFactors<P extends Tree>(
  layerwise: Layerwise<P>,
  params: P,
  points: { readonly x: Tensor; readonly weights: Tensor },
  { likelihood, pointsAtOnce }: { readonly likelihood: OutputLikelihood; readonly pointsAtOnce: number },
): NetworkFactors {
  const paths = new Map(treeEntries(params));
  const biased = new Set([...paths.keys()].filter((path) => path.endsWith('/bias')).map((path) => path.slice(0, -'/bias'.length)));
  const unitsOf = (layer: string): number => {
    const kernel = paths.get(`${layer}/kernel`);
    if (kernel === undefined) throw new ShapeError(`params has no '${layer}/kernel'`, 'name layers in layerwise by their paths in params');
    return kernel.shape.at(-1) ?? 0;
  };

  const ofChunk = (x: Tensor, weights: Tensor): { readonly [layer: string]: KroneckerFactors } => {
    const inputs = homogeneous(layerwise.inputs(params, x), biased);
    const unshifted = Object.fromEntries(
      Object.entries(inputs).map(([layer, a]) => [layer, zeros([...a.shape.slice(0, 2), unitsOf(layer)])]),
    );
    const along = (column: Scalar) =>
      grad((shifts: { readonly [layer: string]: Tensor }) => {
        const outputs = layerwise.shifted(params, x, shifts);
        const v = untaped(() => rootColumn(outputs, column, likelihood));
        return sum(mul(outputs, v));
      })(unshifted);
    const none = Object.fromEntries(Object.keys(inputs).map((layer) => [layer, zeros([unitsOf(layer), unitsOf(layer)])]));
    const [, outputCount = 0] = layerwise.shifted(params, x, {}).shape;
    const [gradients] = scan(
      (total: { readonly [layer: string]: Tensor }, { index }) => {
        const g = along(index);
        return [treeMap((sumOfLayer, own) => add(sumOfLayer, div(weightedProduct(own, weights), own.shape[1] ?? 1)), total, g)] as const;
      },
      none,
      undefined,
      { length: outputCount },
    );
    return Object.fromEntries(
      Object.entries(inputs).map(([layer, a]) => [
        layer,
        { inputs: weightedProduct(a, weights), outputs: gradients[layer] ?? zeros([unitsOf(layer), unitsOf(layer)]) },
      ]),
    );
  };

  return untaped(() =>
    scope(() => {
      const { x, weights } = points;
      const length = chunkLength(weights.shape[0] ?? 0, pointsAtOnce);
      const shapes = homogeneous(layerwise.inputs(params, shapeOf(x)), biased);
      const start = Object.fromEntries(
        Object.entries(shapes).map(([layer, { shape }]) => {
          const [side = 0, units] = [shape[2], unitsOf(layer)];
          return [layer, { inputs: zeros([side, side]), outputs: zeros([units, units]) }];
        }),
      );
      const [layers] = overChunks([x, weights], length, start as Tree, (total, [rows, rowWeights]) => {
        const found = ofChunk(rows ?? x, rowWeights ?? weights);
        return [treeMap((a, b) => add(a, b), total, found), undefined];
      });
      const weight = maximum(sum(weights), 1e-12) as Scalar;
      return { layers: treeMap((leaf) => div(leaf, weight), layers) as NetworkFactors['layers'], weight };
    }),
  );
}

/** One point, to learn the shapes of layers from: its values do not matter, and a compiled program never computes them. */
const shapeOf = (x: Tensor): Tensor => zeros([1, ...x.shape.slice(1)]);
