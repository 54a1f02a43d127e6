import { ConfigError, foldIn, hostNormal, hostUniform, type Key, type KeyImplementation } from '@bpc/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Node, Shape } from '../ir/index.js';
import { sizeOf } from '../ir/shape.js';

/** A number folded into a key; or the number of an iteration: every i < `each`, along an axis of its own. */
export type Fold = number | { readonly each: number };

/** Noise that the host draws for each call and passes as an input. */
export type NoiseSource = {
  readonly kind: 'normal' | 'uniform';
  /** Position of the key among the arguments. */
  readonly argument: number;
  /** What is folded into that key, in order; `split` folds too. */
  readonly folds: readonly Fold[];
  /** Of one draw; the input has an axis for each loop in front. */
  readonly shape: Shape;
};

/** A loop while its step is traced. */
export interface LoopFrame {
  readonly length: number;
  /** False when the step has returned. */
  readonly open: boolean;
  /** Stands for one row of `stacked` per iteration. */
  row(stacked: Node): Node;
}

/** Makes the tensor of a draw; `loops` are those that the key depends on, outermost first. */
export type Draw = (source: NoiseSource, loops: readonly LoopFrame[]) => Tensor;

/** A key without a value: draws become inputs of the program. */
export interface SymbolicKey extends KeyImplementation {
  foldIn(data: number): SymbolicKey;
  /** The key of every iteration of a loop. */
  each(loop: LoopFrame): SymbolicKey;
}

export function symbolicKey(argument: number, draw: Draw, folds: readonly (number | LoopFrame)[] = []): SymbolicKey {
  const drawn = (kind: NoiseSource['kind'], shape: readonly number[]): Tensor => {
    const loops = folds.flatMap((fold) => (typeof fold === 'number' ? [] : [fold]));
    if (loops.some(({ open }) => !open)) {
      throw new ConfigError('a key of a scan iteration is used outside of the scan', "draw in the scan's step, and return the draws");
    }
    const numbers = folds.map((fold) => (typeof fold === 'number' ? fold : { each: fold.length }));
    return draw({ kind, argument, folds: numbers, shape: [...shape] }, loops);
  };
  return {
    words: undefined,
    foldIn: (data) => symbolicKey(argument, draw, [...folds, data]),
    each: (loop) => symbolicKey(argument, draw, [...folds, loop]),
    normal: (shape) => drawn('normal', shape),
    uniform: (shape) => drawn('uniform', shape),
  };
}

export const isSymbolic = (key: object): key is SymbolicKey => 'each' in key;

/** Lengths of the loops that a source's noise is stacked over. */
export const loopLengths = ({ folds }: Pick<NoiseSource, 'folds'>): number[] =>
  folds.flatMap((fold) => (typeof fold === 'number' ? [] : [fold.each]));

/** Shape of the input that a source fills. */
export const noiseShape = (source: NoiseSource): number[] => [...loopLengths(source), ...source.shape];

/**
 * The draws of a source, given the real key of the call: those of iterations `first ≤ i < first + count` of its outermost
 * loop, if it has one.
 */
export function drawNoise(real: Key, { kind, folds, shape }: NoiseSource, first = 0, count?: number): Float32Array {
  const draw = kind === 'normal' ? hostNormal : hostUniform;
  const size = sizeOf(shape);
  const outermost = folds.findIndex((fold) => typeof fold !== 'number');
  if (outermost < 0)
    return draw(
      folds.reduce<Key>((key, fold) => (typeof fold === 'number' ? foldIn(key, fold) : key), real),
      size,
    );
  const [own = 1, ...inner] = loopLengths({ folds });
  const rows = count ?? own;
  const all = new Float32Array(rows * sizeOf(inner) * size);
  let next = 0;
  /** Draws from a key with the folds from `at` on. */
  const below = (key: Key, at: number): void => {
    const fold = folds[at];
    if (fold === undefined) {
      all.set(draw(key, size), next);
      next += size;
    } else if (typeof fold === 'number') below(foldIn(key, fold), at + 1);
    else {
      const [begin, length] = at === outermost ? [first, rows] : [0, fold.each];
      for (let i = begin; i < begin + length; i++) below(foldIn(key, i), at + 1);
    }
  };
  below(real, 0);
  return all;
}
