/** One entry of a tensor. */
export interface Place {
  /** From 0. */
  readonly index: readonly number[];
  /** In C order, last index fastest. */
  readonly offset: number;
}

/** All entries of a tensor, the first index running fastest: the order in which Stan writes them. */
export function columnMajorPlaces(shape: readonly number[]): Place[] {
  const indices = shape.reduceRight<number[][]>(
    // Built from the last axis on: what is prepended varies fastest.
    (inner, length) => inner.flatMap((index) => Array.from({ length }, (_, i) => [i, ...index])),
    [[]],
  );
  return indices.map((index) => ({ index, offset: index.reduce((sum, i, axis) => sum * (shape[axis] ?? 1) + i, 0) }));
}
