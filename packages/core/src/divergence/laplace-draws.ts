import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import {
  abs,
  add,
  concat,
  eye,
  lessEqual,
  matMul,
  mul,
  reshape,
  rsqrt,
  scalar,
  slice,
  sub,
  sum,
  tensor1d,
  where,
} from '@tensorflow/tfjs-core';
import { grad, hessianVector } from '../autodiff.js';
import { checkInteger } from '../check.js';
import { ConfigError } from '../errors.js';

import { cholesky, triangularSolve } from '../linalg/linalg.js';
import { normal } from '../random.js';
import { scan } from '../scan.js';
import { scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { treeLeaves, treeUnflatten } from '../tree.js';
import { coresetPotential } from './coreset-energy.js';
import type { DivergenceInput } from './divergence.js';
import { checkDrawsFrom, type DrawsFrom, drawsOrigin, independentDraws, type PosteriorDraws } from './posterior-draws.js';

/** Options of `laplaceDraws`. */
export interface LaplaceDrawsOptions {
  /** Steps towards the mode. Default 15: Newton's method on a logistic regression is done after about 6. */
  readonly steps?: number;
  /** Left out (default): Newton steps. Given: plain gradient steps of this size on the potential Σ w ℓ − log π. */
  readonly stepSize?: number;
  /** H⁻¹ (default), or 1/H_ii on the diagonal, the cheaper form of Manousakas et al. */
  readonly covariance?: 'full' | 'diagonal';
  /** Where the search of the mode begins. Default `'expert'`. */
  readonly from?: DrawsFrom;
  /** Most points whose gradient is computed at once. Default 25. */
  readonly pointsAtOnce?: number;
}

/** N(mode, F Fᵀ). Fresh tensors. */
export type LaplaceApproximation<P extends Tree> = {
  readonly mode: P;
  /** F, `[n, n]` for n parameters in the order of `treeLeaves`; for `'diagonal'` the standard deviations, `[n]`. */
  readonly factor: Tensor;
};

type Settings = Required<Omit<LaplaceDrawsOptions, 'stepSize'>> & { readonly stepSize: number | undefined };

/** More would need a Hessian of more than 64 MB. */
const MOST_PARAMETERS = 4096;
/** Lengths of a Newton step, the longest last. */
const LENGTHS = Array.from({ length: 10 }, (_, i) => 2 ** (i - 9));

function settingsOf(options: LaplaceDrawsOptions): Settings {
  const { steps = 15, stepSize, covariance = 'full', from = 'expert', pointsAtOnce = 25 } = options;
  checkInteger('steps', steps, 1);
  checkInteger('pointsAtOnce', pointsAtOnce, 1);
  if (stepSize !== undefined && !(Number.isFinite(stepSize) && stepSize > 0)) {
    throw new ConfigError(`stepSize is ${stepSize}, expected a finite number > 0`, 'pass a positive stepSize, or none for Newton steps');
  }
  if (covariance !== 'full' && covariance !== 'diagonal') {
    throw new ConfigError(`covariance is '${String(covariance)}', expected 'full' or 'diagonal'`, 'pass one of the two');
  }
  return { steps, stepSize, covariance, from: checkDrawsFrom(from), pointsAtOnce };
}

const flatten = (tree: Tree): Tensor1D => concat(treeLeaves(tree).map((leaf) => reshape(leaf, [-1]))) as Tensor1D;

function unflatten<P extends Tree>(vector: Tensor, like: P): P {
  let offset = 0;
  const leaves = treeLeaves(like).map(({ shape, size }) => {
    offset += size;
    return reshape(slice(vector, [offset - size], [size]), shape);
  });
  return treeUnflatten(like, leaves);
}

/**
 * The Laplace approximation of the pseudo-posterior exp(−U), U = Σ_m w_m ℓ_m − log π: its mode after a fixed number of steps
 * and the curvature there. See `laplaceDraws`, which draws from it and throws the same errors.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { ones, type Tensor1D, tensor2d } from '@tensorflow/tfjs-core';
 * import { crossEntropyEnergy, gaussianPrior, key, laplaceApproximation, supervised } from '@bpc/core';
 * import { mlp } from '@bpc/models';
 * const network = mlp({ inputShape: [2], outputs: 2, hidden: [] });
 * const model = supervised({ network, energy: crossEntropyEnergy(), prior: gaussianPrior({ precision: 1 }) });
 * const coreset = { x: tensor2d([[1, 0], [0, 1]]), y: tensor2d([[1, 0], [0, 1]]), weights: ones([2]) as Tensor1D };
 * const input = { model, coreset, learnable: { x: true, y: false, weights: false }, expert: network.init(key(0)) };
 * const { mode, factor } = laplaceApproximation(input);
 * ```
 */
export function laplaceApproximation<P extends Tree>(
  input: DivergenceInput<P>,
  options: LaplaceDrawsOptions = {},
): LaplaceApproximation<P> {
  const { steps, stepSize, covariance, from, pointsAtOnce } = settingsOf(options);
  const { augment: _, ...plain } = input;
  const size = treeLeaves(input.expert).reduce((total, leaf) => total + leaf.size, 0);
  if (size > MOST_PARAMETERS) {
    throw new ConfigError(
      `the model has ${size} parameters, expected at most ${MOST_PARAMETERS} for a Hessian`,
      'use descentDraws or langevinDraws for larger models',
    );
  }
  return scope(() =>
    untaped(() => {
      const potential = (vector: Tensor): Scalar =>
        coresetPotential(plain, unflatten(vector, input.expert), { reduction: 'sum', pointsAtOnce }, scalar(0, 'int32'));
      const curvature = hessianOf(potential, size);
      const step = stepSize === undefined ? newtonStep(potential, curvature.matrix) : gradientStep(potential, stepSize);
      const [mode] = scan((position: Tensor) => [step(position)], flatten(drawsOrigin(input, from, 'laplace')) as Tensor, undefined, {
        length: steps,
      });
      const factor =
        covariance === 'diagonal'
          ? rsqrt(curvature.diagonal(mode))
          : triangularSolve(cholesky(curvature.matrix(mode)), eye(size), { transpose: true });
      return { mode: unflatten(mode, input.expert), factor };
    }),
  );
}

type Potential = (vector: Tensor) => Scalar;

/** ∇²U as a matrix or its diagonal, one product with a unit vector at a time. */
function hessianOf(potential: Potential, size: number) {
  const along = (vector: Tensor, pick: (row: Tensor, unit: Tensor) => Tensor): Tensor => {
    const [, rows] = scan(
      (none: readonly Tree[], { x: unit }) => [none, pick(hessianVector(potential)(vector, unit), unit)] as const,
      [],
      eye(size) as Tensor,
    );
    return rows;
  };
  return {
    matrix: (vector: Tensor) => along(vector, (row) => row),
    diagonal: (vector: Tensor) => along(vector, (row, unit) => sum(mul(row, unit))),
  };
}

const gradientStep =
  (potential: Potential, stepSize: number) =>
  (position: Tensor): Tensor =>
    sub(position, mul(grad(potential)(position), stepSize));

/** The longest of the steps H⁻¹∇U, ½ H⁻¹∇U, … that does not raise the potential by more than rounding. */
function newtonStep(potential: Potential, hessian: (vector: Tensor) => Tensor) {
  return (position: Tensor): Tensor => {
    const factor = cholesky(hessian(position));
    const direction = triangularSolve(factor, triangularSolve(factor, grad(potential)(position)), { transpose: true });
    const before = potential(position);
    // Close to the mode differences of U are rounding, by which a shorter step must not be preferred.
    const allowed = add(before, mul(add(abs(before), 1), 1e-6));
    const [length] = scan(
      (longest: Tensor, { x: candidate }) => [
        where(lessEqual(potential(sub(position, mul(direction, candidate))), allowed), candidate, longest),
      ],
      scalar(LENGTHS[0] ?? 0) as Tensor,
      tensor1d(LENGTHS) as Tensor,
    );
    return sub(position, mul(direction, length));
  };
}

/**
 * Draws from the Laplace approximation N(θ*, H⁻¹) of the weighted pseudo-posterior exp(−Σ_m w_m ℓ_m) π, for models of few
 * parameters (generalised linear models): θ* its mode, H the Hessian of the potential there, prior included.
 *
 * What Manousakas et al. 2020 draw from in PSVI. Newton steps are halved until they do not climb, so that a log-concave
 * posterior is reached from anywhere; H comes from second derivatives, n products for n parameters. Where H is not positive
 * definite the draws are NaN. The mode is that of the coreset as it is: nothing is augmented.
 *
 * Newton steps and the full covariance use `cholesky`, which ONNX Runtime does not have; `{ stepSize, covariance: 'diagonal' }`
 * runs there too.
 *
 * @throws ConfigError for steps < 1, stepSize ≤ 0 or another covariance; when drawing, for more than 4096 parameters.
 * @example
 * ```ts
 * import { laplaceDraws, psvi } from '@bpc/core';
 * const divergence = psvi({ draws: 100, posterior: laplaceDraws({ covariance: 'full' }) });
 * ```
 */
export function laplaceDraws(options: LaplaceDrawsOptions = {}): PosteriorDraws {
  const { covariance, from } = settingsOf(options);
  return independentDraws({
    name: 'laplace',
    requiresStart: from === 'start',
    independent: <P extends Tree>(_: unknown, input: DivergenceInput<P>) => {
      const { mode, factor } = laplaceApproximation(input, options);
      return (key) =>
        scope(() => {
          const centre = flatten(mode);
          const noise = normal(key, centre.shape);
          const spread = covariance === 'diagonal' ? mul(factor, noise) : reshape(matMul(factor, reshape(noise, [-1, 1])), centre.shape);
          return unflatten(add(centre, spread), mode);
        });
    },
  });
}
