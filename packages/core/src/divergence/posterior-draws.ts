import type { Key } from '../random.js';
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
}
