import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, div, mul, neg, reverse, scalar, sub, zeros } from '@tensorflow/tfjs-core';
import { grad, gradDot, valueAndGrad } from '../autodiff.js';
import type { Coreset, CoresetGrad } from '../coreset.js';
import { reduceEnergy } from '../energy.js';
import { scan } from '../scan.js';
import { scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import { treeLeaves, treeMap } from '../tree.js';
import { chunkLength, overChunks, withGradient } from './chunks.js';
import { type CoresetEnergyOptions, coresetPotential } from './coreset-energy.js';
import type { DivergenceInput } from './divergence.js';

/** Settings of gradient descent on a coreset that is differentiated through. */
export interface UnrolledDescentSettings extends Required<CoresetEnergyOptions> {
  /** T ≥ 1. */
  readonly steps: number;
  /** α, a scalar. */
  readonly stepSize: Scalar;
}

/** θ_T, and θ_0 … θ_{T−1} stacked along axis 0. Fresh tensors. */
export type DescentPath<P extends Tree> = { readonly end: P; readonly path: P };

/** θ_{t+1} = θ_t − α ∇U_t(θ_t, S), with the potential U_t of the coreset under augmentation t + 1. */
export function descentPath<P extends Tree>(input: DivergenceInput<P>, start: P, settings: UnrolledDescentSettings): DescentPath<P> {
  const { steps, stepSize } = settings;
  const [end, path] = untaped(() =>
    scan(
      (theta: P, { index }) => {
        const gradient = grad((params: P) => coresetPotential(input, params, settings, add(index, scalar(1, 'int32'))))(theta);
        return [treeMap((x, g) => sub(x, mul(g, stepSize)), theta, gradient), theta] as const;
      },
      start,
      undefined,
      { length: steps },
    ),
  );
  // Stacked parameters have the names of parameters, and leaves of one more rank.
  return { end, path: path as unknown as P };
}

/** What a function of θ_T has for gradients in the coreset and in α. */
export type DescentGradient = { readonly grad: CoresetGrad; readonly stepSize: Scalar };

/**
 * The adjoint of `descentPath`: from λ_T = ∂L/∂θ_T, for t = T − 1 … 0 and D_t(θ, S) = ⟨∇_θ U_t(θ, S), λ_{t+1}⟩,
 *
 * ∂L/∂S ← ∂L/∂S − α ∂D_t/∂S, ∂L/∂α ← ∂L/∂α − D_t, λ_t = λ_{t+1} − α ∂D_t/∂θ, all at θ_t.
 *
 * The gradient that automatic differentiation through all steps gives, with each step's tensors computed anew from θ_t
 * instead of kept: one `scan`, whose program and memory do not grow with T but for the path itself (T times the
 * parameters), and for at most `pointsAtOnce` points at a time. A step costs one gradient and one second derivative.
 */
export function descentGradient<P extends Tree>(
  input: DivergenceInput<P>,
  path: P,
  atEnd: P,
  settings: UnrolledDescentSettings,
): DescentGradient {
  const { coreset, learnable } = input;
  const { steps, stepSize } = settings;
  const names = (['x', 'y', 'weights'] as const).filter((part) => learnable[part]);
  const parts = Object.fromEntries(names.map((part) => [part, coreset[part]]));
  const begin = { adjoint: atEnd, grad: treeMap((leaf) => zeros(leaf.shape), parts), stepSize: scalar(0) };
  const { grad: total, stepSize: inStepSize } = scope(() =>
    untaped(
      () =>
        scan(
          (after: typeof begin, { x: row, index }) => {
            const draw = sub(scalar(steps, 'int32'), index) as Scalar;
            const directional = ({ theta, learned }: { readonly theta: P; readonly learned: typeof parts }) =>
              potentialAlong(input, theta, { ...coreset, ...learned }, after.adjoint, settings, draw);
            // A row of the path is like parameters, which the type of a row does not say.
            const found = valueAndGrad(directional)({ theta: row as unknown as P, learned: parts });
            const less = (a: Tensor, b: Tensor) => sub(a, mul(b, stepSize));
            return [
              {
                adjoint: treeMap(less, after.adjoint, found.grad.theta),
                grad: treeMap(less, after.grad, found.grad.learned),
                stepSize: sub(after.stepSize, found.value) as Scalar,
              },
            ];
          },
          begin,
          treeMap((leaf) => reverse(leaf, 0), path),
        )[0],
    ),
  );
  return { grad: total as CoresetGrad, stepSize: inStepSize };
}

/** ⟨∇_θ U(θ, S), v⟩, to be differentiated once in θ and S. */
function potentialAlong<P extends Tree>(
  { model, augment, learnable }: DivergenceInput<P>,
  params: P,
  coreset: Coreset,
  along: P,
  { reduction, pointsAtOnce }: UnrolledDescentSettings,
  draw: Scalar,
): Scalar {
  const augmented = augment === undefined ? coreset : { ...coreset, x: augment(coreset.x, draw) };
  const ofPoints = (theta: P, { x, y, weights }: Coreset): Scalar =>
    gradDot((p: P) => reduceEnergy(neg(model.logLikelihood(p, { x, y })), weights, 'sum'))(theta, along);
  const points = coreset.weights.shape[0];
  const energy = points <= pointsAtOnce ? ofPoints(params, augmented) : inChunks(ofPoints, params, augmented, learnable, pointsAtOnce);
  const total = sub(energy, gradDot((p: P) => model.logPrior(p))(params, along)) as Scalar;
  return reduction === 'sum' ? total : div(total, points);
}

/** A sum over points as a function of parameters and learnable parts, its first derivatives computed chunk after chunk. */
function inChunks<P extends Tree>(
  f: (params: P, coreset: Coreset) => Scalar,
  params: P,
  coreset: Coreset,
  learnable: DivergenceInput<P>['learnable'],
  size: number,
): Scalar {
  const order = ['x', 'y', 'weights'] as const;
  const names = order.filter((part) => learnable[part]);
  const learnedOf = (rows: Coreset): Record<string, Tensor> => Object.fromEntries(names.map((part) => [part, rows[part]]));
  const start = { value: scalar(0), theta: treeMap((leaf) => zeros(leaf.shape), params) };
  const length = chunkLength(coreset.weights.shape[0], size);
  const [{ value, theta }, perPoint] = untaped(() =>
    overChunks(
      order.map((part) => coreset[part]),
      length,
      start,
      (sofar, rows) => {
        const chunk = Object.fromEntries(order.map((part, i) => [part, rows[i]])) as unknown as Coreset;
        const found = valueAndGrad(({ theta: p, learned }: { readonly theta: P; readonly learned: Tree }) =>
          f(p, { ...chunk, ...(learned as Partial<Coreset>) }),
        )({ theta: params, learned: learnedOf(chunk) });
        const learned = found.grad.learned as { readonly [part: string]: Tensor };
        return [
          { value: add(sofar.value, found.value) as Scalar, theta: treeMap((a, b) => add(a, b), sofar.theta, found.grad.theta) },
          names.map((part) => learned[part] as Tensor),
        ];
      },
    ),
  );
  return withGradient([...treeLeaves(params), ...names.map((part) => coreset[part])], value, [...treeLeaves(theta), ...perPoint]);
}
