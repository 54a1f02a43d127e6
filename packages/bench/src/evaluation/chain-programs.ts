import { crossEntropy, foldIn, grad, type Key, type Network, normal, type Program, type Runtime, type Tree, treeEntries, treeLeaves, treeMap, treeUnflatten } from '@bpc/core';
import { add, div, mul, type Scalar, sub, sum, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import type { AugmentationVariant } from './augmentation.js';

/** Points a chain is run on, with the augmentation of this step. Borrowed. */
export type ChainData = { readonly x: Tensor; readonly y: Tensor; readonly weights: Tensor1D; readonly augmentation: Tree };
/** What changes from step to step or from setting to setting, so that no program is compiled twice for it. */
export type ChainHyper = { readonly stepSize: Scalar; readonly momentum: Scalar; readonly precision: Scalar; readonly noise: Scalar };

type DescendArguments = [params: Tree, velocity: Tree, data: ChainData, hyper: ChainHyper];
type LangevinArguments = [key: Key, params: Tree, data: ChainData, hyper: ChainHyper];

/** Compiled programs of one network; they serve every coreset of a shape, every seed and every setting. */
export interface ChainPrograms {
  /** `v ← μv + ∇U(θ)`, `θ ← θ − λv`. */
  descend(variant: AugmentationVariant, ...args: DescendArguments): Promise<{ readonly params: Tree; readonly velocity: Tree }>;
  /** `θ ← θ − λ∇U(θ) + noise·ξ`. */
  langevin(variant: AugmentationVariant, ...args: LangevinArguments): Promise<Tree>;
  /** Logits of images; the host takes their softmax in float64. */
  logits(params: Tree, x: Tensor): Promise<Tensor>;
  dispose(): Promise<void>;
}

interface ProgramOptions {
  readonly network: Network<Tree>;
  readonly runtime: Runtime;
  /** `sum`: `Σ w ℓ`; `mean`: `Σ w ℓ / Σ w`. */
  readonly reduction: 'mean' | 'sum';
}

/**
 * Compiles the steps of a chain on `U(θ) = reduce_m w_m ℓ_m(θ) + ½ρ‖θ‖²`, whose target is `exp(−U/T)`.
 */
export function chainPrograms({ network, runtime, reduction }: ProgramOptions): ChainPrograms {
  const gradient = (variant: AugmentationVariant, params: Tree, { x, y, weights, augmentation }: ChainData, precision: Scalar): Tree => {
    const loss = grad((p: Tree) => {
      const weighted = sum(mul(crossEntropy(network.apply(p, variant.apply(x, augmentation)), y), weights));
      return reduction === 'mean' ? div(weighted, sum(weights)) : weighted;
    })(params);
    // The prior's gradient in closed form: shorter to trace than ½ρ‖θ‖².
    return treeMap((g, p) => add(g, mul(precision, p as Tensor)), loss, params);
  };
  const descents = new Map<string, Program<DescendArguments, { params: Tree; velocity: Tree }>>();
  const diffusions = new Map<string, Program<LangevinArguments, Tree>>();
  const logits = runtime.compile((params: Tree, x: Tensor) => network.apply(params, x));

  const descent = (variant: AugmentationVariant) => {
    const kept = descents.get(variant.name);
    if (kept !== undefined) return kept;
    const made = runtime.compile((...[params, velocity, data, hyper]: DescendArguments) => {
      const g = gradient(variant, params, data, hyper.precision);
      const next = treeMap((v, d) => add(mul(hyper.momentum, v), d as Tensor), velocity, g);
      return { params: treeMap((p, v) => sub(p, mul(hyper.stepSize, v as Tensor)), params, next), velocity: next };
    });
    descents.set(variant.name, made);
    return made;
  };

  const diffusion = (variant: AugmentationVariant) => {
    const kept = diffusions.get(variant.name);
    if (kept !== undefined) return kept;
    const made = runtime.compile((...[key, params, data, hyper]: LangevinArguments): Tree => {
      const g = treeLeaves(gradient(variant, params, data, hyper.precision));
      const leaves = treeEntries(params).map(([, p], i) =>
        add(sub(p, mul(hyper.stepSize, g[i] as Tensor)), mul(hyper.noise, normal(foldIn(key, i), p.shape))),
      );
      return treeUnflatten(params, leaves);
    });
    diffusions.set(variant.name, made);
    return made;
  };

  return {
    descend: (variant, ...args) => descent(variant)(...args),
    langevin: (variant, ...args) => diffusion(variant)(...args),
    logits,
    async dispose() {
      for (const program of [...descents.values(), ...diffusions.values(), logits]) await program.dispose();
      descents.clear();
      diffusions.clear();
    },
  };
}
