import {
  crossEntropy,
  grad,
  type Key,
  langevinStep,
  type Network,
  normalLike,
  type Program,
  type Runtime,
  reduceEnergy,
  type Tree,
  treeMap,
} from '@bpc/core';
import { add, mul, type Scalar, sub, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';

/** Points a chain is run on. Borrowed. */
export type ChainData = { readonly x: Tensor; readonly y: Tensor; readonly weights: Tensor1D };
/** What changes from step to step or from setting to setting, so that no program is compiled twice for it. */
export type ChainHyper = { readonly stepSize: Scalar; readonly momentum: Scalar; readonly precision: Scalar; readonly temperature: Scalar };

/** A chain's position while it is optimised. */
export type ChainState = { readonly params: Tree; readonly velocity: Tree };

/** Compiled programs of one network; they serve every coreset of a shape, every seed and every setting. */
export interface ChainPrograms {
  /** `v ← μv + ∇U(θ)`, `θ ← θ − λv`. */
  readonly descend: Program<[state: ChainState, data: ChainData, hyper: ChainHyper], ChainState>;
  /** `θ ← θ − λ∇U(θ) + √(2λT)·ξ`. */
  readonly langevin: Program<[key: Key, params: Tree, data: ChainData, hyper: ChainHyper], Tree>;
  /** Logits of images; the host takes their softmax in float64. */
  readonly logits: Program<[params: Tree, x: Tensor], Tensor>;
  dispose(): Promise<void>;
}

interface ProgramOptions {
  readonly network: Network<Tree>;
  readonly runtime: Runtime;
  /** `sum`: `Σ w ℓ`; `mean`: `(1/M) Σ w ℓ`. */
  readonly reduction: 'mean' | 'sum';
}

/**
 * Compiles the steps of a chain on `U(θ) = reduce_m w_m ℓ_m(θ) + ½ρ‖θ‖²`, whose target is `exp(−U/T)`.
 */
export function chainPrograms({ network, runtime, reduction }: ProgramOptions): ChainPrograms {
  const gradient = (params: Tree, { x, y, weights }: ChainData, precision: Scalar): Tree => {
    const likelihood = grad((p: Tree) => reduceEnergy(crossEntropy(network.apply(p, x), y), weights, reduction))(params);
    // The prior's gradient in closed form: shorter to trace than ½ρ‖θ‖².
    return treeMap((g, p) => add(g, mul(precision, p as Tensor)), likelihood, params);
  };
  const programs = {
    descend: runtime.compile(({ params, velocity }: ChainState, data: ChainData, hyper: ChainHyper): ChainState => {
      const next = treeMap((v, g) => add(mul(hyper.momentum, v), g as Tensor), velocity, gradient(params, data, hyper.precision));
      return { params: treeMap((p, v) => sub(p, mul(hyper.stepSize, v as Tensor)), params, next), velocity: next };
    }),
    langevin: runtime.compile(
      (key: Key, params: Tree, data: ChainData, hyper: ChainHyper): Tree =>
        langevinStep(params, gradient(params, data, hyper.precision), normalLike(key, params), hyper),
    ),
    logits: runtime.compile((params: Tree, x: Tensor) => network.apply(params, x)),
  };
  return {
    ...programs,
    async dispose() {
      for (const program of Object.values(programs)) await program.dispose();
    },
  };
}
