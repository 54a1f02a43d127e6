/** How well the mean of replicated estimates agrees with exact numbers. */
export interface Agreement {
  /** Largest deviation of the mean, in its standard errors. */
  readonly worst: number;
  /** Largest standard error of the mean, relative to the length of the exact vector. */
  readonly largestError: number;
}

/** Scores independent replicates of an estimate, one vector each, against what their expectation should be. */
export function agreement(replicates: readonly (readonly number[])[], exact: readonly number[]): Agreement {
  const count = replicates.length;
  const length = Math.hypot(...exact);
  let [worst, largestError] = [0, 0];
  exact.forEach((value, j) => {
    const column = replicates.map((replicate) => replicate[j] ?? Number.NaN);
    const mean = column.reduce((a, c) => a + c, 0) / count;
    const error = Math.sqrt(column.reduce((a, c) => a + (c - mean) ** 2, 0) / (count - 1) / count);
    const score = Math.abs(mean - value) / error;
    worst = Math.max(worst, Number.isNaN(score) ? Number.POSITIVE_INFINITY : score);
    largestError = Math.max(largestError, error / length);
  });
  return { worst, largestError };
}
