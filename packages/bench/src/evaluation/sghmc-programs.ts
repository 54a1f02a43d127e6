import { type Key, type Program, scan, type Tree } from '@bpc/core';
import { type SghmcState, sghmc } from '@bpc/samplers';
import type { Tensor } from '@tensorflow/tfjs-core';
import { type ChainData, type ChainHyper, logDensityOf } from './chain-energy.js';
import type { ChainProgramOptions } from './chain-programs.js';

/** Compiled parts of `sghmc` on a coreset. */
export interface SghmcPrograms {
  /** The state at a position, with p ~ N(0, T). */
  readonly init: Program<[key: Key, params: Tree, data: ChainData, hyper: ChainHyper], SghmcState<Tree>>;
  /**
   * So many steps in one program; `images` `[length, points, …]` are those of each step, or left out if all take `data.x`.
   */
  block(
    length: number,
  ): Program<[key: Key, state: SghmcState<Tree>, data: ChainData, images: Tensor | undefined, hyper: ChainHyper], SghmcState<Tree>>;
  dispose(): Promise<void>;
}

/** Compiles `p ← (1 − α)p − ε∇U + N(0, 2αT)`, `θ ← θ + εp`, in blocks of steps. */
export function sghmcPrograms(options: ChainProgramOptions & { readonly momentumDecay: number }): SghmcPrograms {
  const { runtime, momentumDecay } = options;
  const algorithm = (data: ChainData, { stepSize, temperature, precision }: ChainHyper) =>
    sghmc({ logDensity: logDensityOf(options, data, precision), stepSize, temperature, momentumDecay });
  const init = runtime.compile((key: Key, params: Tree, data: ChainData, hyper: ChainHyper) => algorithm(data, hyper).init(params, key));
  const compile = (length: number): ReturnType<SghmcPrograms['block']> =>
    runtime.compile(function sghmcBlock(key: Key, state: SghmcState<Tree>, data: ChainData, images: Tensor | undefined, hyper: ChainHyper) {
      const [last] = scan(
        (now: SghmcState<Tree>, iteration) => {
          const x = images === undefined ? data.x : (iteration.x as Tensor);
          return [algorithm({ ...data, x }, hyper).step(iteration.key, now)[0]] as const;
        },
        state,
        images,
        { length, key },
      );
      return last;
    });
  const blocks = new Map<number, ReturnType<SghmcPrograms['block']>>();
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
