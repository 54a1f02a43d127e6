import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { add, mul, sqrt, sub } from '@tensorflow/tfjs-core';
import type { Algorithm } from './algorithm.js';
import { valueAndGrad } from './autodiff.js';
import { ConfigError } from './errors.js';
import type { Key } from './random.js';
import { foldIn, isKey, normal } from './random.js';
import { scan } from './scan.js';
import { cloneTree, scope } from './scope.js';
import type { Tree } from './tree.js';
import { isTensor, treeLeaves, treeMap, treeUnflatten } from './tree.js';

/** λ and T. As scalar tensors they may change from call to call of a compiled program; numbers are frozen into it. */
export interface LangevinSettings {
  /** λ > 0. */
  readonly stepSize: number | Scalar;
  /** T ≥ 0; at 0 the step is plain gradient descent and draws no noise. */
  readonly temperature: number | Scalar;
}

/** @throws ConfigError unless λ > 0 and T ≥ 0 are finite. Tensors are not read. */
export function checkLangevinSettings({ stepSize, temperature }: LangevinSettings): void {
  if (typeof stepSize === 'number' && !(Number.isFinite(stepSize) && stepSize > 0)) {
    throw new ConfigError(`stepSize is ${stepSize}, expected a finite number > 0`, 'pass a positive stepSize');
  }
  if (typeof temperature === 'number' && !(Number.isFinite(temperature) && temperature >= 0)) {
    throw new ConfigError(`temperature is ${temperature}, expected a finite number >= 0`, 'pass a non-negative temperature');
  }
}

/** Standard normal draws shaped like `tree`; leaf i uses `foldIn(key, i)`. Fresh tensors, owned by the caller. */
export function normalLike<T extends Tree>(key: Key, tree: T): T {
  return treeUnflatten(
    tree,
    treeLeaves(tree).map((leaf, i) => normal(foldIn(key, i), leaf.shape)),
  );
}

function noiseScale({ stepSize, temperature }: LangevinSettings): number | Tensor {
  if (typeof stepSize === 'number' && typeof temperature === 'number') return Math.sqrt(2 * stepSize * temperature);
  return sqrt(mul(2, mul(stepSize, temperature)));
}

/**
 * θ ← θ − λ ∇E(θ) + √(2λT)·η, with the gradient and the noise η ~ N(0, I) given.
 *
 * Unadjusted Langevin: leaves exp(−E/T) invariant up to a bias of order λ. The scale √(2λT) is not optional: with
 * η ~ N(0, I) itself, as BPC-CD's Algorithm 1 prints it, every network is destroyed within a few steps.
 *
 * `noise` may be left out when T is the number 0. Fresh tensors, owned by the caller.
 *
 * @throws ConfigError if λ or T is outside its domain, or T > 0 and there is no noise.
 */
export function langevinStep<P extends Tree>(position: P, gradient: P, noise: P | undefined, settings: LangevinSettings): P {
  checkLangevinSettings(settings);
  const { stepSize, temperature } = settings;
  const cold = temperature === 0;
  if (!cold && noise === undefined) {
    throw new ConfigError(
      `temperature is ${isTensor(temperature) ? 'a tensor' : temperature} but there is no noise`,
      'pass standard normal noise',
    );
  }
  return scope(() => {
    const moved = treeMap((theta, g) => sub(theta, mul(g, stepSize)), position, gradient);
    if (cold || noise === undefined) return moved;
    const scale = noiseScale(settings);
    return treeMap((theta, eta) => add(theta, mul(eta, scale)), moved, noise);
  });
}

/**
 * Where the noise of a chain comes from: a key, of which step t draws `normalLike(foldIn(key, t), position)`; or draws that
 * are given, those of all steps stacked along axis 0 of each leaf; or nothing, at temperature 0.
 */
export type ChainNoise<P extends Tree> = Key | P | undefined;

/** Options of `langevinChain`. */
export interface LangevinChainOptions<P extends Tree> extends LangevinSettings {
  /** E(θ) at step t, a scalar; `step` is t, an int32 scalar tensor. */
  readonly energy: (position: P, step: Scalar) => Tensor;
  /** k ≥ 0. */
  readonly steps: number;
}

/** The end of a chain, and E before each of its steps, `[steps]`. */
export type LangevinChain<P extends Tree> = { readonly position: P; readonly energies: Tensor1D };

/**
 * k steps of unadjusted Langevin (`langevinStep`) by `scan`: in a compiled program one operation, whose size and time to
 * compile do not depend on k.
 *
 * Eagerly one step's tensors are alive at a time. Fresh tensors, owned by the caller.
 *
 * @throws ConfigError if λ or T is outside its domain, or T > 0 and there is no noise; ShapeError if draws that are given do
 * not have one row per step.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { mul, square, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
 * import { key, langevinChain } from '@bpc/core';
 * const energy = (theta: Tensor) => mul(sum(square(theta)), 0.5);
 * const { position } = langevinChain(tensor1d([1, 2]) as Tensor, key(0), { energy, steps: 100, stepSize: 0.1, temperature: 1 });
 * ```
 */
export function langevinChain<P extends Tree>(position: P, noise: ChainNoise<P>, options: LangevinChainOptions<P>): LangevinChain<P> {
  checkLangevinSettings(options);
  const { energy, steps, temperature } = options;
  const drawn = temperature !== 0 && noise !== undefined && isKey(noise) ? { key: noise } : {};
  const given = temperature !== 0 && noise !== undefined && !isKey(noise) ? noise : undefined;
  const [end, energies] = scan(
    (theta: P, iteration) => {
      const { value, grad } = valueAndGrad((params: P) => energy(params, iteration.index))(theta);
      // One row of the draws is like the position, which the type of a row does not say.
      const eta = 'key' in drawn ? normalLike(iteration.key, theta) : (iteration.x as unknown as P | undefined);
      return [langevinStep(theta, grad, eta, options), value] as const;
    },
    position,
    given,
    { length: steps, ...drawn },
  );
  return { position: end, energies: energies as Tensor1D };
}

/** Position of a Langevin chain. */
export type LangevinState<P extends Tree> = { readonly position: P };

/** E at the position before the step. */
export type LangevinInfo = { readonly energy: Scalar };

/** Options of `langevin`. */
export interface LangevinOptions<P extends Tree> extends LangevinSettings {
  /** E(θ; data), a scalar; what is left invariant is exp(−E/T). */
  readonly energy: (position: P, data?: Tree) => Tensor;
}

/**
 * The unadjusted Langevin algorithm: `langevinStep` on an energy, with its noise drawn from the key of the step.
 *
 * @throws ConfigError if λ or T is outside its domain.
 * @example
 * ```ts
 * import { mul, square, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
 * import { jsRuntime } from '@bpc/compiler';
 * import { foldIn, key, langevin } from '@bpc/core';
 * const runtime = jsRuntime();
 * const { init, step } = langevin({ energy: (theta: Tensor) => mul(sum(square(theta)), 0.5), stepSize: 0.1, temperature: 1 });
 * const program = runtime.compile(step);
 * let state = init(tensor1d([1, 2]), key(0));
 * for (let i = 0; i < 10; i++) [state] = await program(foldIn(key(1), i), state);
 * ```
 */
export function langevin<P extends Tree>(options: LangevinOptions<P>): Algorithm<P, LangevinState<P>, LangevinInfo> {
  const { energy } = options;
  checkLangevinSettings(options);
  return {
    init: (position) => ({ position: cloneTree(position) }),
    step: (key, { position }, data) =>
      scope(() => {
        const { value, grad } = valueAndGrad((theta: P) => energy(theta, data))(position);
        const noise = options.temperature === 0 ? undefined : normalLike(key, position);
        return [{ position: langevinStep(position, grad, noise, options) }, { energy: value }];
      }),
  };
}
