/** Σ_n x^{2n+1} / (1·3·…·(2n+1)), which is (Φ(x) − ½)/φ(x): all terms have one sign. */
function series(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (x * x) / (2 * n + 1);
    sum += term;
  }
  return sum;
}

/** Laplace's continued fraction of (1 − Φ(x))/φ(x), from its inside. */
function fraction(x: number): number {
  let value = x;
  for (let n = 80; n >= 1; n--) value = x + n / value;
  return 1 / value;
}

/**
 * Φ(x), the distribution function of the standard normal distribution, to about 1e-15 absolute.
 *
 * Abramowitz & Stegun 26.2.11 up to |x| = 4, the continued fraction 26.2.14 beyond.
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  const size = Math.abs(x);
  const density = Math.exp(-0.5 * size * size) / Math.sqrt(2 * Math.PI);
  if (size < 4) return x === 0 ? 0.5 : 0.5 + Math.sign(x) * density * series(size);
  const tail = density === 0 ? 0 : density * fraction(size);
  return x < 0 ? tail : 1 - tail;
}
