import { grad, type Key, type Program, type Runtime, type Tree, treeMap } from '@bpc/core';
import { sgld } from '@bpc/samplers';
import { add, mul, type Scalar, scalar, sub, type Tensor } from '@tensorflow/tfjs-core';
import { type ChainData, type ChainEnergy, type ChainHyper, coresetLoss, logDensityOf } from './chain-energy.js';
import { type HmcPrograms, hmcPrograms } from './hmc-programs.js';
import { type SghmcPrograms, sghmcPrograms } from './sghmc-programs.js';

export type { ChainData, ChainHyper } from './chain-energy.js';

/** A chain's position while it is optimised. */
export type ChainState = { readonly params: Tree; readonly velocity: Tree };

/** Compiled programs of one network; they serve every coreset of a shape, every seed and every setting. */
export interface ChainPrograms {
  /** `v ← μv + ∇U(θ)`, `θ ← θ − λv`. */
  readonly descend: Program<[state: ChainState, data: ChainData, hyper: ChainHyper], ChainState>;
  /** One step of `sgld`: `θ ← θ − λ∇U(θ) + √(2λT)·ξ`. */
  readonly langevin: Program<[key: Key, params: Tree, data: ChainData, hyper: ChainHyper], Tree>;
  /** Programs of `sghmc`, which loses the share α of its momentum at every step. */
  sghmc(momentumDecay: number): SghmcPrograms;
  /** Programs of `hmc` with L leapfrog steps per transition. */
  hmc(leapfrogSteps: number): HmcPrograms;
  /** Logits of images; the host takes their softmax in float64. */
  readonly logits: Program<[params: Tree, x: Tensor], Tensor>;
  dispose(): Promise<void>;
}

/** What programs of chains are compiled from. */
export interface ChainProgramOptions extends ChainEnergy {
  readonly runtime: Runtime;
}

interface Disposable {
  dispose(): Promise<void>;
}

/** Makes a value once per name. */
function once<T extends Disposable>(make: (name: number) => T): { get(name: number): T; all(): readonly T[] } {
  const made = new Map<number, T>();
  return {
    get(name) {
      const value = made.get(name) ?? make(name);
      made.set(name, value);
      return value;
    },
    all: () => [...made.values()],
  };
}

/**
 * Compiles the steps of a chain on `U(θ) = reduce_m w_m ℓ_m(θ) + ½ρ‖θ‖²`, whose target is `exp(−U/T)`; the samplers are
 * those of `@bpc/samplers`.
 */
export function chainPrograms(options: ChainProgramOptions): ChainPrograms {
  const { network, runtime } = options;
  const gradient = (params: Tree, data: ChainData, precision: Scalar): Tree => {
    const likelihood = grad((p: Tree) => coresetLoss(options, p, data))(params);
    // The prior's gradient in closed form: shorter to trace than ½ρ‖θ‖².
    return treeMap((g, p) => add(g, mul(precision, p as Tensor)), likelihood, params);
  };
  const programs = {
    descend: runtime.compile(({ params, velocity }: ChainState, data: ChainData, hyper: ChainHyper): ChainState => {
      const next = treeMap((v, g) => add(mul(hyper.momentum, v), g as Tensor), velocity, gradient(params, data, hyper.precision));
      return { params: treeMap((p, v) => sub(p, mul(hyper.stepSize, v as Tensor)), params, next), velocity: next };
    }),
    langevin: runtime.compile((key: Key, params: Tree, data: ChainData, hyper: ChainHyper): Tree => {
      const { stepSize, temperature, precision } = hyper;
      const { step } = sgld({ logDensity: logDensityOf(options, data, precision), stepSize, temperature });
      // The count of steps is for schedules, and the step size here is an argument.
      const [next] = step(key, { position: params, step: scalar(0, 'int32') });
      return next.position;
    }),
    logits: runtime.compile((params: Tree, x: Tensor) => network.apply(params, x)),
  };
  const withMomentum = {
    sghmc: once((momentumDecay) => sghmcPrograms({ ...options, momentumDecay })),
    hmc: once((leapfrogSteps) => hmcPrograms({ ...options, leapfrogSteps })),
  };
  return {
    ...programs,
    sghmc: withMomentum.sghmc.get,
    hmc: withMomentum.hmc.get,
    async dispose() {
      for (const program of [...Object.values(programs), ...withMomentum.sghmc.all(), ...withMomentum.hmc.all()]) await program.dispose();
    },
  };
}
