import { checkInteger } from '../check.js';
import { ConfigError } from '../errors.js';
import type { Key } from '../random.js';
import { split } from '../random.js';
import { scan } from '../scan.js';
import { cloneTree, scope } from '../scope.js';
import { untaped } from '../tape.js';
import type { Tree } from '../tree.js';
import type { DivergenceInput } from './divergence.js';

/**
 * Draws of parameters that stand for the pseudo-posterior π_S: what negative phases and covariances average over.
 *
 * A pure tensor program. Draws count as constants: no gradient with respect to the coreset passes through them.
 */
export interface PosteriorDraws {
  readonly name: string;
  /** Whether draws begin at `input.start`, an earlier snapshot than the expert. */
  readonly requiresStart?: boolean;
  /** `count` draws, stacked along axis 0 of every leaf. Fresh tensors. */
  draw<P extends Tree>(key: Key, input: DivergenceInput<P>, count: number): P;
  /**
   * One draw per key, for draws that are independent given what this call finds out (a mode, factors of a covariance): who
   * needs one draw at a time keeps memory flat with it. Left out where draws depend on each other, as those of a chain.
   */
  independent?<P extends Tree>(key: Key, input: DivergenceInput<P>): (key: Key) => P;
}

/** `PosteriorDraws` from a way to make one draw at a time; `draw` stacks them. */
export function independentDraws(parts: {
  readonly name: string;
  readonly requiresStart?: boolean;
  readonly independent: NonNullable<PosteriorDraws['independent']>;
}): PosteriorDraws {
  const { name, requiresStart = false, independent } = parts;
  return {
    name,
    requiresStart,
    independent,
    draw: <P extends Tree>(key: Key, input: DivergenceInput<P>, count: number) => {
      checkInteger('count', count, 1);
      const [shared, draws] = split(key, 2);
      return scope(() =>
        untaped(() => {
          const next = independent(shared, input);
          const [, stacked] = scan((none: Tree, { key: own }) => [none, next(own)] as const, [], undefined, { length: count, key: draws });
          // Stacked parameters have the names of parameters, and one rank more.
          return stacked as unknown as P;
        }),
      );
    },
  };
}

/**
 * `f` at every draw, one after the other by `scan`, its results stacked along axis 0. Fresh tensors.
 *
 * On a gradient tape all draws' tensors are alive at once; elsewhere those of one.
 *
 * @param stacked - draws as `PosteriorDraws.draw` gives them.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { mapDraws, normal, key } from '@bpc/core';
 * import { sum } from '@tensorflow/tfjs-core';
 * const draws = { mean: normal(key(0), [10, 3]) };
 * console.log(mapDraws(draws, ({ mean }) => sum(mean)).shape); // [10]
 * ```
 */
export function mapDraws<P extends Tree, Y extends Tree>(stacked: P, f: (draw: P) => Y): Y {
  const [, results] = scan(
    // A row of stacked parameters is like parameters, which the type of a row does not say.
    (none: Tree, { x }) => [none, f(x as unknown as P)] as const,
    [],
    stacked,
  );
  // Results keep their names, with leaves of one more rank.
  return results as unknown as Y;
}

/** Where draws begin: at the expert θ_D, or at the earlier snapshot `input.start`. */
export type DrawsFrom = 'expert' | 'start';

/** @throws ConfigError unless `from` is one of the two. */
export function checkDrawsFrom(from: DrawsFrom): DrawsFrom {
  if (from !== 'expert' && from !== 'start') {
    throw new ConfigError(`from is '${String(from)}', expected 'expert' or 'start'`, 'pass one of the two');
  }
  return from;
}

/** A copy of the parameters where draws begin. @throws ConfigError if that is the start and there is none. */
export function drawsOrigin<P extends Tree>({ expert, start }: DivergenceInput<P>, from: DrawsFrom, name: string): P {
  if (from === 'expert') return cloneTree(expert);
  if (start === undefined) {
    throw new ConfigError(
      `start is not given, but '${name}' draws begin at an earlier snapshot of the expert`,
      "pass start, which sampled does with expertEpochs: 1 or more; or draw from: 'expert'",
    );
  }
  return cloneTree(start);
}
