import type { Tensor } from '@tensorflow/tfjs-core';
import { add, div, eye, matMul, maximum, mul, reshape, scalar, slice, sqrt, sum } from '@tensorflow/tfjs-core';
import { checkInteger, checkRange } from '../check.js';
import { ConfigError } from '../errors.js';
import { checkLangevinSettings } from '../langevin.js';
import { inverseRoot } from '../linalg/inverse-root.js';
import type { Key } from '../random.js';
import { foldIn, normal } from '../random.js';
import { cloneTree, scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { treeEntries, treeUnflatten } from '../tree.js';
import { type CoresetEnergyOptions, coresetChain, coresetEnergySettings } from './coreset-energy.js';
import type { DivergenceInput } from './divergence.js';
import { type KroneckerFactors, kroneckerFactors, type OutputLikelihood } from './kronecker-factors.js';
import { checkDrawsFrom, type DrawsFrom, drawsOrigin, independentDraws, type PosteriorDraws } from './posterior-draws.js';

/** Options of `kroneckerLaplaceDraws`. Step size and reduction belong to the descent. */
export interface KroneckerLaplaceOptions extends CoresetEnergyOptions {
  /** Gradient steps from the expert to θ_S. Default 30, as `descentDraws`. */
  readonly steps?: number;
  /** α. Default 0.03, as `descentDraws`. */
  readonly stepSize?: number;
  /** Default `'expert'`, as the negative phase of BPC-CD. */
  readonly from?: DrawsFrom;
  /**
   * τ > 0, prior precision of every weight, and what damps directions that the coreset says nothing about. Default 1e4: there
   * draws have standard deviation 0.01, the σ of Kim et al.; a handful of points leaves a network nearly all its directions.
   */
  readonly precision?: number;
  /** What the model's outputs are parameters of. Default `{ kind: 'categorical' }`, logits. */
  readonly likelihood?: OutputLikelihood;
}

/** N(mode, ·) of independent layers. Fresh tensors. */
export type KroneckerLaplace<P extends Tree> = {
  /** θ_S. */
  readonly mode: P;
  /** By layer: W_A and W_G of `inverseRoot`; a draw of the layer is mode + W_Aᵀ Z W_G with Z ~ N(0, I), the bias as last row. */
  readonly roots: { readonly [layer: string]: KroneckerFactors };
};

type Settings = Required<KroneckerLaplaceOptions>;

function settingsOf(options: KroneckerLaplaceOptions): Settings {
  const { steps = 30, stepSize = 0.03, from = 'expert', precision = 1e4, likelihood = { kind: 'categorical' } } = options;
  checkInteger('steps', steps, 0);
  checkLangevinSettings({ stepSize, temperature: 0 });
  checkDrawsFrom(from);
  checkRange('precision', precision, Number.MIN_VALUE);
  if (likelihood.kind !== 'categorical' && likelihood.kind !== 'gaussian') {
    throw new ConfigError(
      `likelihood.kind is '${String((likelihood as { readonly kind: unknown }).kind)}', expected 'categorical' or 'gaussian'`,
      'pass one of the two',
    );
  }
  if (likelihood.kind === 'gaussian') checkRange('likelihood.precision', likelihood.precision, Number.MIN_VALUE);
  return { ...coresetEnergySettings(options), steps, stepSize, from, precision, likelihood };
}

/** Mean of the diagonal, kept above zero: saturated outputs leave no curvature. */
const meanDiagonal = (matrix: Tensor): Tensor => {
  const [side = 1] = matrix.shape;
  return maximum(div(sum(mul(matrix, eye(side))), side), 1e-12);
};

/** Roots of the damped factors: (√N A + π√τ I) ⊗ (√N G + √τ/π I), π² the ratio of their mean eigenvalues. */
function dampedRoots({ inputs, outputs }: KroneckerFactors, weight: Tensor, precision: number): KroneckerFactors {
  const balance = sqrt(div(meanDiagonal(inputs), meanDiagonal(outputs)));
  const damping = Math.sqrt(precision);
  const scaled = (factor: Tensor, ridge: Tensor) => add(mul(factor, sqrt(weight)), mul(eye(factor.shape[0] ?? 0), ridge));
  return {
    inputs: inverseRoot(scaled(inputs, mul(balance, damping))),
    outputs: inverseRoot(scaled(outputs, div(damping, balance))),
  };
}

/**
 * The Kronecker-factored Laplace approximation of `kroneckerLaplaceDraws`, to look at or draw from by hand.
 *
 * @throws ConfigError like `kroneckerLaplaceDraws`.
 */
export function kroneckerLaplace<P extends Tree>(input: DivergenceInput<P>, options: KroneckerLaplaceOptions = {}): KroneckerLaplace<P> {
  const settings = settingsOf(options);
  const { coreset, model, augment } = input;
  const { layerwise } = model;
  if (layerwise === undefined) {
    throw new ConfigError(
      'model has no layerwise, expected one whose layers can be looked into',
      'make it with supervised and an mlp, convNet, alexNet or vgg11 of @bpc/models, or give your network a layerwise member',
    );
  }
  return untaped(() =>
    scope(() => {
      const origin = drawsOrigin(input, settings.from, 'kronecker-laplace');
      const mode = coresetChain(input, origin, undefined, { ...settings, temperature: 0 }).position;
      const x = augment === undefined ? coreset.x : augment(coreset.x, scalar(1, 'int32'));
      const { layers, weight } = kroneckerFactors(layerwise, mode, { x, weights: coreset.weights }, settings);
      const roots = Object.fromEntries(
        Object.entries(layers).map(([layer, factors]) => [layer, dampedRoots(factors, weight, settings.precision)]),
      );
      return { mode, roots };
    }),
  );
}

/** A draw: kernels and biases of the layers with roots move, other parameters stay. */
function drawFrom<P extends Tree>(key: Key, { mode, roots }: KroneckerLaplace<P>): P {
  const entries = treeEntries(mode);
  const moved = new Map<string, Tensor>();
  Object.entries(roots).forEach(([layer, { inputs, outputs }], i) => {
    const [rows, units] = [inputs.shape[0] ?? 0, outputs.shape[0] ?? 0];
    moved.set(layer, matMul(matMul(inputs, normal(foldIn(key, i), [rows, units]), true), outputs));
  });
  const leaves = entries.map(([path, leaf]) => {
    const split = path.lastIndexOf('/');
    const change = moved.get(path.slice(0, Math.max(split, 0)));
    if (change === undefined) return cloneTree(leaf);
    const [rows = 0, units = 0] = change.shape;
    const fanIn = leaf.size / units;
    const own = path.slice(split + 1) === 'bias' ? slice(change, [rows - 1, 0], [1, units]) : slice(change, [0, 0], [fanIn, units]);
    return add(leaf, reshape(own, leaf.shape));
  });
  return treeUnflatten(mode, leaves);
}

/**
 * A Kronecker-factored Laplace posterior (KFL): every affine layer's weights are matrix normal around θ_S,
 *
 *   W ~ MN(W_S, (√N A + π√τ I)⁻¹, (√N G + (√τ/π) I)⁻¹),  N = Σ_m w_m
 *
 * with A and G of `kroneckerFactors` at θ_S, the end of gradient steps from the expert. Ritter, Botev & Barber 2018, with the
 * damping balanced by π (Martens & Grosse 2015, section 6.3): exact as τ → 0; the cross terms can double the precision of a
 * direction, not more. The negative phase by KFL of BPC-CD's Table 7. Precisions are those of π_S ∝ π(θ) exp(−Σ w ℓ), whatever the
 * reduction, which rescales the descent; the model's own prior acts on the descent alone, so pass its precision as τ. Gains
 * and biases of norms stay at θ_S. Curvature sees augmentation 1, that of the first inner step.
 *
 * Roots are found by `inverseRoot`, products of matrices alone, since ONNX Runtime has no Cholesky factor; so it runs, with equal
 * draws up to rounding, on every runtime. Memory for the patches of `pointsAtOnce` images; `outputs` backward passes.
 *
 * @throws ConfigError for steps < 0, a step size or precision that is not positive, or an unknown likelihood; from `draw` for a model
 * without `layerwise`, or if the start is needed and not given.
 * @example
 * ```ts
 * import { forwardKl, kroneckerLaplaceDraws } from '@bpc/core';
 * const divergence = forwardKl({ draws: 10, sigma: 0.01, posterior: kroneckerLaplaceDraws({ steps: 30, precision: 1e4 }) });
 * ```
 */
export function kroneckerLaplaceDraws(options: KroneckerLaplaceOptions = {}): PosteriorDraws {
  const settings = settingsOf(options);
  return independentDraws({
    name: 'kronecker-laplace',
    requiresStart: settings.from === 'start',
    independent: (_, input) => {
      const approximation = kroneckerLaplace(input, settings);
      return (key) => untaped(() => scope(() => drawFrom(key, approximation)));
    },
  });
}
