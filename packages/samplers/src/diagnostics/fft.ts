/** In-place discrete Fourier transform X_k = Σ x_t e^{−2πi kt/n} of complex numbers; n must be a power of two. Iterative radix 2. */
export function fourierTransform(real: Float64Array, imaginary: Float64Array): void {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      const [re, im] = [real[i] as number, imaginary[i] as number];
      real[i] = real[j] as number;
      imaginary[i] = imaginary[j] as number;
      real[j] = re;
      imaginary[j] = im;
    }
  }
  // Each root is computed directly: products of roots would gather rounding errors.
  const cosines = Float64Array.from({ length: n >> 1 }, (_, k) => Math.cos((2 * Math.PI * k) / n));
  const sines = Float64Array.from({ length: n >> 1 }, (_, k) => -Math.sin((2 * Math.PI * k) / n));
  for (let size = 2; size <= n; size <<= 1) {
    const half = size >> 1;
    const stride = n / size;
    for (let start = 0; start < n; start += size) {
      for (let k = 0; k < half; k++) {
        const cosine = cosines[k * stride] as number;
        const sine = sines[k * stride] as number;
        const [a, b] = [start + k, start + k + half];
        const re = (real[b] as number) * cosine - (imaginary[b] as number) * sine;
        const im = (real[b] as number) * sine + (imaginary[b] as number) * cosine;
        real[b] = (real[a] as number) - re;
        imaginary[b] = (imaginary[a] as number) - im;
        real[a] = (real[a] as number) + re;
        imaginary[a] = (imaginary[a] as number) + im;
      }
    }
  }
}
