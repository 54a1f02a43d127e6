import '@tensorflow/tfjs-backend-cpu';
import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor } from '@tensorflow/tfjs-core';

export type Result = Tensor | Tensor[];

/** One use of an operation: what every target must compute as eager tfjs does on its cpu backend. */
export type OpCase = {
  readonly name: string;
  /** Fresh arguments of the program; made while the cpu backend is current. */
  readonly args: () => Tensor[];
  readonly run: (...args: Tensor[]) => Result;
  /** Largest |found − expected| / max(1, |expected|). Default 2e-5. */
  readonly tolerance?: number;
  /** Where tfjs cpu is wrong, or has no answer: the values by closed form, and why. */
  readonly truth?: { readonly reason: string; readonly values: (...args: (readonly number[])[]) => readonly (readonly number[])[] };
  /** Targets that differ, with the reason; their tests leave the case out. */
  readonly except?: Readonly<Partial<Record<'js' | 'interpreter' | 'onnx', string>>>;
};

/** Reproducible numbers in (−1, 1), not too regular. */
export function values(size: number, seed = 1): Float32Array {
  let state = (seed * 2654435761) >>> 0;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** A tensor of reproducible numbers in (low, high). */
export const floats = (shape: readonly number[], seed = 1, low = -1, high = 1): Tensor =>
  tensor(
    values(size(shape), seed).map((v) => low + ((v + 1) / 2) * (high - low)),
    [...shape],
  );

/** Reproducible integers in [low, high]. */
export const ints = (shape: readonly number[], low: number, high: number, seed = 1): Tensor =>
  tensor(
    Int32Array.from(values(size(shape), seed), (v) => Math.floor(low + ((v + 1) / 2) * (high - low + 1))),
    [...shape],
    'int32',
  );

export const bools = (shape: readonly number[], seed = 1): Tensor =>
  tensor(
    Uint8Array.from(values(size(shape), seed), (v) => +(v > 0)),
    [...shape],
    'bool',
  );

/** Numbers where functions break: not a number, infinities, both zeros, tiny and large ones, halves. */
export const EDGES = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
  0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  1e-8,
  -1e-8,
  30,
  -30,
  3e4,
  -3e4,
];

/** Scalars, few elements (written out by the js target) and many (loops), odd ranks. */
export const SHAPES: readonly (readonly number[])[] = [[], [5], [3, 4], [7, 9], [2, 3, 5, 7], [1, 40, 1], [0], [3, 0, 2]];

/** Pairs of shapes that broadcast. */
export const PAIRS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[], []],
  [[7], [7]],
  [[40], []],
  [[3, 4], [4]],
  [
    [7, 9],
    [7, 1],
  ],
  [
    [1, 9],
    [7, 1],
  ],
  [
    [2, 3, 5, 7],
    [5, 1],
  ],
  [[0], [1]],
];
