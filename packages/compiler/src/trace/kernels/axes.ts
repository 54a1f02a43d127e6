/** An axis counted from the end, if negative, as one counted from the start. */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Integers from `from`, `count` of them. */
export const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
