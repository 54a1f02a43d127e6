import { type Key, type Program, scan, type Tree } from '@bpc/core';
import { type HmcState, hmc } from '@bpc/samplers';
import { mean, type Scalar } from '@tensorflow/tfjs-core';
import { type ChainData, type ChainHyper, logDensityOf } from './chain-energy.js';
import type { ChainProgramOptions } from './chain-programs.js';

/** Transitions in a row: the state after them, and their mean acceptance probability (0 for one that diverged). */
export type HmcBlock = { readonly state: HmcState<Tree>; readonly acceptance: Scalar };

/** Compiled parts of `hmc` on a coreset. */
export interface HmcPrograms {
  /** The state at a position; the step size is the hyper's. */
  readonly init: Program<[key: Key, params: Tree, data: ChainData, hyper: ChainHyper], HmcState<Tree>>;
  /** So many transitions in one program; the step size is the state's. All must get the same data. */
  block(length: number): Program<[key: Key, state: HmcState<Tree>, data: ChainData, hyper: ChainHyper], HmcBlock>;
  dispose(): Promise<void>;
}

// Trajectories of one length resonate with directions whose period it is a multiple of.
const stepSizeJitter = 0.2;

/**
 * Compiles transitions of `hmc`: r ~ N(0, T·I), L leapfrog steps, accepted with probability `min(1, exp((H₀ − H)/T))`,
 * `H = U + ½‖r‖²`, in blocks.
 */
export function hmcPrograms(options: ChainProgramOptions & { readonly leapfrogSteps: number }): HmcPrograms {
  const { runtime, leapfrogSteps } = options;
  const algorithm = (data: ChainData, { stepSize, temperature, precision }: ChainHyper) =>
    hmc({ logDensity: logDensityOf(options, data, precision), stepSize, temperature, leapfrogSteps, stepSizeJitter });
  const init = runtime.compile((key: Key, params: Tree, data: ChainData, hyper: ChainHyper) => algorithm(data, hyper).init(params, key));
  const compile = (length: number): ReturnType<HmcPrograms['block']> =>
    runtime.compile(function hmcBlock(key: Key, state: HmcState<Tree>, data: ChainData, hyper: ChainHyper): HmcBlock {
      const { step } = algorithm(data, hyper);
      const [last, rates] = scan(
        (now: HmcState<Tree>, iteration) => {
          const [next, { acceptance }] = step(iteration.key, now);
          return [next, acceptance] as const;
        },
        state,
        undefined,
        { length, key },
      );
      return { state: last, acceptance: mean(rates) };
    });
  const blocks = new Map<number, ReturnType<HmcPrograms['block']>>();
  return {
    init,
    block(length) {
      const program = blocks.get(length) ?? compile(length);
      blocks.set(length, program);
      return program;
    },
    async dispose() {
      for (const program of [init, ...blocks.values()]) await program.dispose();
    },
  };
}
