/** Adam on non-negative numbers: `x ← max(0, x − (i₀/(1 + i)) · m̂/(ε + √v̂))` in step i. */
export interface ProjectedAdam {
  /** Moves `x` in place along minus its gradient. */
  step(x: Float64Array, gradient: Float64Array): void;
}

/** Kingma & Ba's constants; step sizes fall as 1/(1 + i), as in Campbell & Beronov 2019. */
export function projectedAdam(size: number, initialStep: number): ProjectedAdam {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  const first = new Float64Array(size);
  const second = new Float64Array(size);
  let steps = 0;
  return {
    step(x, gradient) {
      const rate = initialStep / (1 + steps);
      steps++;
      for (let i = 0; i < size; i++) {
        const g = gradient[i] as number;
        const m = beta1 * (first[i] as number) + (1 - beta1) * g;
        const v = beta2 * (second[i] as number) + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        const change = (rate * (m / (1 - beta1 ** steps))) / (epsilon + Math.sqrt(v / (1 - beta2 ** steps)));
        x[i] = Math.max(0, (x[i] as number) - change);
      }
    },
  };
}
