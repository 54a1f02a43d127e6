import type { Reduce } from '../../ir/index.js';
import type { Affine } from './affine.js';
import type { Expression } from './expression.js';

/** An array of a program. Items of level L read storage of level ≤ L and write storage of level L + 1. */
export type Storage = {
  readonly id: number;
  readonly kind: 'input' | 'output' | 'constant' | 'temporary';
  readonly size: number;
  level: number;
  /** Position among the program's inputs or outputs. */
  position?: number;
  values?: ArrayLike<number>;
  /** Written once when the program is made (the border of a padding), so it shares its memory with nothing. */
  fill?: number;
  /** What reads it does not join the loop that writes it. */
  apart?: true;
  /** Scalars written into it before the first item of its level: a small tensor that is read at a variable position. */
  spill?: readonly Expression[];
};

/** Where a value goes inside a loop. `dynamic` is added to `index`, scaled. */
export type Place = {
  readonly storage: Storage;
  readonly index: Affine;
  readonly dynamic?: { readonly row: Expression; readonly scale: number; readonly count: number };
};

/**
 * How a loop makes a scalar of its values: a reduction of the graph, or (where there is a loop) Σ log(1 + t) of 0 ≤ t ≤ 1. Of that,
 * printers keep Π(1 + t) − 1 and take its logarithm before it overflows: one for hundreds of terms. As (1 + t)(1 + u) − 1 =
 * t + u + t·u, the smallest t keep their digits.
 */
export type TotalReduce = Reduce | 'SumLog1p';

/** What a loop does with a value in its body. */
export type Root =
  /** A scalar over all iterations. */
  | { readonly kind: 'total'; readonly name: string; readonly reduce: TotalReduce; readonly value: Expression }
  | { readonly kind: 'store'; readonly place: Place; readonly value: Expression }
  /** A scalar over the innermost loops, stored after them. */
  | { readonly kind: 'inner'; readonly name: string; readonly reduce: Reduce; readonly place: Place; readonly value: Expression }
  /** Into storage that is filled with the neutral element before the loop. */
  | { readonly kind: 'accumulate'; readonly reduce: Reduce; readonly place: Place; readonly value: Expression };

/** A fused loop nest; the last `inner` extents belong to roots of kind `inner`. */
export type Loop = {
  readonly kind: 'loop';
  readonly level: number;
  readonly extents: readonly number[];
  readonly inner: number;
  readonly roots: Root[];
  weight: number;
};

/** A hand-written kernel on whole arrays: `kernel(output, ...inputs, constants)`. */
export type Call = {
  readonly kind: 'call';
  readonly level: number;
  readonly kernel: string;
  readonly output: Storage;
  readonly inputs: readonly Storage[];
  readonly geometry: object;
};

/** One output: scalars, a copy of storage, or (neither) storage that is the output itself. */
export type ProgramOutput = { readonly size: number; readonly scalars?: readonly Expression[]; readonly copy?: Storage };

/** Everything a printer needs, in the order it must happen. */
export type LoopProgram = {
  readonly storages: readonly Storage[];
  readonly items: readonly (Loop | Call)[];
  readonly outputs: readonly ProgramOutput[];
  readonly inputSizes: readonly number[];
  /** Positions of inputs that are bound once and stay the same over calls. */
  readonly fixed: readonly number[];
};

export const NEUTRAL: Readonly<Record<TotalReduce, number>> = {
  Sum: 0,
  SumLog1p: 0,
  Prod: 1,
  Max: Number.NEGATIVE_INFINITY,
  Min: Number.POSITIVE_INFINITY,
};

/** Where a running Π(1 + t) − 1 is replaced by its logarithm: 1 + t ≤ 2 cannot make it overflow. */
export const LARGE_PRODUCT = 1e300;
