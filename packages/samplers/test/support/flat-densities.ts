import type { FlatDensity } from '@bpc/core';

/** A log density with its gradient by hand. */
export type HandWritten = Pick<FlatDensity, 'size'> & { evaluate(q: Float64Array, gradient: Float64Array): number };

/** N(mean, covariance) from the precision matrix P, `[size, size]` in C order: −½ (q − m)ᵀ P (q − m). */
export function gaussian(precision: readonly number[], mean: readonly number[]): HandWritten {
  const size = mean.length;
  return {
    size,
    evaluate(q, gradient) {
      let twice = 0;
      for (let i = 0; i < size; i++) {
        let sum = 0;
        for (let j = 0; j < size; j++) sum += precision[i * size + j]! * (q[j]! - mean[j]!);
        gradient[i] = -sum;
        twice += sum * (q[i]! - mean[i]!);
      }
      return -0.5 * twice;
    },
  };
}

/** log x for x ~ Exponential(1): u − exp(u), skewed to the left; P(u ≤ t) = 1 − exp(−exp(t)). */
export const logExponential: HandWritten = {
  size: 1,
  evaluate(q, gradient) {
    const x = Math.exp(q[0]!);
    gradient[0] = 1 - x;
    return q[0]! - x;
  },
};

/** A mild funnel: v ~ N(0, 1), x | v ~ N(0, exp(v)). */
export const funnel: HandWritten = {
  size: 2,
  evaluate(q, gradient) {
    const [v, x] = [q[0]!, q[1]!];
    const precision = Math.exp(-v);
    gradient[0] = -v - 0.5 + 0.5 * x * x * precision;
    gradient[1] = -x * precision;
    return -0.5 * v * v - 0.5 * v - 0.5 * x * x * precision;
  },
};

/** N(0, 1) cut off at |q| = edge. */
export const cliff = (edge: number): HandWritten => ({
  size: 1,
  evaluate(q, gradient) {
    gradient[0] = -q[0]!;
    return Math.abs(q[0]!) < edge ? -0.5 * q[0]! ** 2 : Number.NEGATIVE_INFINITY;
  },
});

/** The same density behind promises. */
export const later = ({ size, evaluate }: HandWritten): Pick<FlatDensity, 'size' | 'evaluate'> => ({
  size,
  evaluate: async (q, gradient) => {
    // The kernel must neither use the gradient early nor give it to others meanwhile.
    const at = q.slice();
    await Promise.resolve();
    return evaluate(at, gradient);
  },
});
