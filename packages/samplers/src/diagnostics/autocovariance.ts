import type { ChainTable } from './chains.js';
import { fourierTransform } from './fft.js';

/** Chains that mix need few lags, which are cheapest one by one; past this many, all by one Fourier transform are cheaper. */
const DIRECT_LAGS = 64;

function allLags({ values, chains, length }: ChainTable): Float64Array {
  let size = 1;
  while (size < 2 * length) size <<= 1;
  const power = new Float64Array(size);
  // Two chains at a time as real and imaginary part: the real part of the correlation is the sum of theirs.
  for (let c = 0; c < chains; c += 2) {
    const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
    real.set(values.subarray(c * length, (c + 1) * length));
    if (c + 1 < chains) imaginary.set(values.subarray((c + 1) * length, (c + 2) * length));
    fourierTransform(real, imaginary);
    for (let k = 0; k < size; k++) power[k] = (power[k] as number) + (real[k] as number) ** 2 + (imaginary[k] as number) ** 2;
  }
  fourierTransform(power, new Float64Array(size));
  return power.subarray(0, length).map((sum) => sum / (size * chains * length));
}

/**
 * Mean over chains of the autocovariance at a lag, γ̂_k = 1/n Σ_t x_t x_{t+k}, of chains that have mean 0. The divisor is n at
 * every lag, as Geyer's estimators want it.
 */
export function meanAutocovariance(centred: ChainTable): (lag: number) => number {
  const { values, chains, length } = centred;
  let transformed: Float64Array | undefined;
  return (lag) => {
    if (lag > DIRECT_LAGS) {
      transformed ??= allLags(centred);
      return transformed[lag] as number;
    }
    let sum = 0;
    for (let c = 0; c < chains; c++) {
      const end = (c + 1) * length - lag;
      // Four sums at once: one addition after the other would wait for each other.
      let [a, b, d, e] = [0, 0, 0, 0];
      let t = c * length;
      for (; t + 3 < end; t += 4) {
        a += (values[t] as number) * (values[t + lag] as number);
        b += (values[t + 1] as number) * (values[t + 1 + lag] as number);
        d += (values[t + 2] as number) * (values[t + 2 + lag] as number);
        e += (values[t + 3] as number) * (values[t + 3 + lag] as number);
      }
      for (; t < end; t++) a += (values[t] as number) * (values[t + lag] as number);
      sum += a + b + (d + e);
    }
    return sum / (chains * length);
  };
}
