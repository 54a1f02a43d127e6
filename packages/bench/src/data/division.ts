import { createHash } from 'node:crypto';
import { ChecksumError, ConfigError, hostPermutation, key } from '@bpc/core';
import { z } from 'zod';
import { drawIndices, remainingIndices } from './draw-indices.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const indexList = z.strictObject({
  seed: z.int().nonnegative(),
  perClass: z.int().positive(),
  /** Of the indices joined by commas, so that an edit of the list does not pass unnoticed. */
  sha256,
  indices: z.array(z.int().nonnegative()),
});

/** How the manifest says a data set is divided. */
export const divisionSchema = z.discriminatedUnion('kind', [
  /** Stored lists of training points; without `test` the files have test points of their own. */
  z.strictObject({ kind: z.literal('lists'), validation: indexList, test: indexList.optional() }),
  /** Class-balanced validation points, drawn from the training labels whenever the set is loaded. */
  z.strictObject({
    kind: z.literal('per-class'),
    seed: z.int().nonnegative(),
    perClass: z.int().positive(),
    /** Of the drawn indices joined by commas, where the files were at hand when the manifest was made. */
    sha256: sha256.optional(),
  }),
  /** One seeded permutation of all points: the first `test`, then `validation`, the rest to learn from. */
  z.strictObject({
    kind: z.literal('shuffled'),
    seed: z.int().nonnegative(),
    validation: z.int().positive(),
    /** None if the files have test points of their own. */
    test: z.int().nonnegative(),
    /** Of the permutation joined by commas, so that another generator cannot move points from test to train. */
    sha256,
  }),
  /** The files have all three splits. */
  z.strictObject({ kind: z.literal('given') }),
]);

/** Class-balanced points drawn once by `drawIndices`, stored. */
export type IndexList = z.infer<typeof indexList>;
/** How a data set is divided into splits. */
export type Division = z.infer<typeof divisionSchema>;

/** Ascending indices into the points of the training files. `test` is absent if test points have files of their own. */
export interface DividedTraining {
  readonly train: ArrayLike<number>;
  readonly validation: ArrayLike<number>;
  readonly test?: ArrayLike<number>;
}

/**
 * Divide the points of the training files.
 *
 * @param labels - of all points of the training files, in their order.
 * @throws ChecksumError if a stored list or the drawn permutation is not the one the manifest was made with; ConfigError
 * if a class has too few points.
 */
export function divideTraining(division: Division, labels: ArrayLike<number>, classes: number, name: string): DividedTraining {
  const count = labels.length;
  switch (division.kind) {
    case 'given':
      return { train: remainingIndices(count), validation: [] };
    case 'per-class': {
      const { perClass, seed } = division;
      const validation = drawIndices({ labels, classes, perClass, seed });
      if (division.sha256 !== undefined) checkHashOf(validation, division.sha256, `${name}'s drawn validation list`);
      return { train: remainingIndices(count, validation), validation };
    }
    case 'lists': {
      const { validation, test } = division;
      checkList(validation, `${name}'s validation`, count);
      if (test === undefined) return { train: remainingIndices(count, validation.indices), validation: validation.indices };
      checkList(test, `${name}'s test`, count);
      return {
        train: remainingIndices(count, validation.indices, test.indices),
        validation: validation.indices,
        test: test.indices,
      };
    }
    case 'shuffled': {
      const order = Array.from(hostPermutation(key(division.seed), count));
      checkHashOf(order, division.sha256, `${name}'s permutation`);
      const test = order.slice(0, division.test).sort(ascending);
      const validation = order.slice(division.test, division.test + division.validation).sort(ascending);
      const train = remainingIndices(count, validation, test);
      return division.test === 0 ? { train, validation } : { train, validation, test };
    }
  }
}

const ascending = (a: number, b: number): number => a - b;

function checkList(list: IndexList, what: string, count: number): void {
  checkHashOf(list.indices, list.sha256, `${what} index list`);
  const outside = list.indices.find((index) => index >= count);
  if (outside === undefined) return;
  throw new ConfigError(`index ${outside} of ${what} is outside the ${count} points`, 'use the index list made for these files');
}

function checkHashOf(indices: readonly number[], expected: string, what: string): void {
  const actual = createHash('sha256').update(indices.join(',')).digest('hex');
  if (actual === expected) return;
  throw new ChecksumError(`${what} has SHA-256 ${actual}, expected ${expected}`, 'restore the manifest of this package');
}
