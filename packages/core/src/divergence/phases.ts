import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';
import { add, div, scalar, sub, zeros } from '@tensorflow/tfjs-core';
import type { CoresetGrad } from '../coreset.js';
import type { Key } from '../random.js';
import { foldIn } from '../random.js';
import { scan } from '../scan.js';
import { scope } from '../scope.js';
import type { Tree } from '../tree.js';
import { treeMap } from '../tree.js';
import { type CoresetEnergyOptions, coresetEnergy } from './coreset-energy.js';
import { coresetGradient } from './coreset-gradient.js';
import type { DivergenceInput } from './divergence.js';

/** θ⁺ of the positive and θ⁻ of the negative phase. Constants: gradients do not pass through them. */
export type PhasePair<P extends Tree> = { readonly positive: P; readonly negative: P };

/** ∇_S E(S, θ⁺) − ∇_S E(S, θ⁻) and the energies. Fresh tensors. */
export type PhaseDifference = {
  readonly grad: CoresetGrad;
  /** E(S, θ⁺) − E(S, θ⁻). */
  readonly value: Scalar;
  readonly energyPlus: Scalar;
  readonly energyMinus: Scalar;
};

/**
 * The difference of the two phases of one pair, both with augmentation `draw`: with different augmentations it would not
 * vanish at θ⁺ = θ⁻.
 */
export function phaseDifference<P extends Tree>(
  input: DivergenceInput<P>,
  { positive, negative }: PhasePair<P>,
  settings: Required<CoresetEnergyOptions>,
  draw: Scalar,
): PhaseDifference {
  return scope(() => {
    // One phase after the other, so that only one of the two tapes is alive.
    const phase = (params: P) =>
      coresetGradient(input.coreset, input.learnable, (coreset) => coresetEnergy(input, coreset, params, settings, draw, input.learnable));
    const plus = phase(positive);
    const minus = phase(negative);
    return {
      grad: treeMap((a, b) => sub(a, b), plus.grad as Tree, minus.grad as Tree) as CoresetGrad,
      value: sub(plus.value, minus.value) as Scalar,
      energyPlus: plus.value,
      energyMinus: minus.value,
    };
  });
}

/** Where the parameters of one phase come from: all stacked along axis 0, or one at a time from a key, which keeps memory flat. */
export type PhaseDraws<P extends Tree> = { readonly stacked: P } | { readonly draw: (key: Key) => P };

/** K pairs. */
export interface PhasePairs<P extends Tree> {
  /** K ≥ 1. */
  readonly count: number;
  /** Pair k has `foldIn(key, k)`, split in two: for its positive and its negative draw. Not needed if both are stacked. */
  readonly key?: Key;
  readonly positive: PhaseDraws<P>;
  readonly negative: PhaseDraws<P>;
}

/** The mean over pairs, and each pair's energies. Fresh tensors. */
export type MeanPhaseDifference = {
  readonly grad: CoresetGrad;
  readonly value: Scalar;
  /** E(S, θ⁺_k), `[K]`. */
  readonly energiesPlus: Tensor1D;
  /** E(S, θ⁻_k), `[K]`. */
  readonly energiesMinus: Tensor1D;
};

/**
 * (1/K) Σ_k ∇_S E(S, θ⁺_k) − ∇_S E(S, θ⁻_k) by `scan`: one pair's tensors are alive at a time, and a compiled program does
 * not grow with K. Pair k sees augmentation k in both of its terms.
 */
export function meanPhaseDifference<P extends Tree>(
  input: DivergenceInput<P>,
  { count, key, positive, negative }: PhasePairs<P>,
  settings: Required<CoresetEnergyOptions>,
): MeanPhaseDifference {
  return scope(() => {
    const { coreset, learnable } = input;
    const none = Object.fromEntries(
      (['x', 'y', 'weights'] as const).filter((part) => learnable[part]).map((part) => [part, zeros(coreset[part].shape)]),
    );
    const rows: { readonly [phase: string]: Tree } = {
      ...('stacked' in positive && { positive: positive.stacked }),
      ...('stacked' in negative && { negative: negative.stacked }),
    };
    const [total, energies] = scan(
      (sum: { readonly grad: Tree; readonly value: Scalar }, iteration) => {
        // A row of stacked parameters is like parameters, which the type of a row does not say.
        const row = (phase: string) => (iteration.x as unknown as { readonly [phase: string]: P })[phase] as P;
        const pair = {
          positive: 'draw' in positive ? positive.draw(foldIn(iteration.key, 0)) : row('positive'),
          negative: 'draw' in negative ? negative.draw(foldIn(iteration.key, 1)) : row('negative'),
        };
        const { grad, value, energyPlus, energyMinus } = phaseDifference(input, pair, settings, iteration.index);
        return [treeMap((a, b) => add(a, b), sum, { grad: grad as Tree, value }), { energyPlus, energyMinus }] as const;
      },
      { grad: none as Tree, value: scalar(0) },
      rows as Tree,
      { length: count, ...(key !== undefined && { key }) },
    );
    const { grad, value } = treeMap((leaf) => div(leaf, count), total);
    const { energyPlus, energyMinus } = energies as unknown as { readonly energyPlus: Tensor1D; readonly energyMinus: Tensor1D };
    return { grad: grad as CoresetGrad, value, energiesPlus: energyPlus, energiesMinus: energyMinus };
  });
}
