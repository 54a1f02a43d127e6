import { ConfigError } from '@bpc/core';
import type { Normalisation } from './dataset.js';

/** Mean and standard deviation of every channel. */
export interface ChannelMoments {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Mean and standard deviation (divisor N) of every channel of images, in float64.
 *
 * @param values - `[count, height, width, channels]`, row-major.
 * @throws ConfigError if there are no values or their number is no multiple of `channels`.
 *
 * @example
 * ```ts
 * import { channelMoments } from '@bpc/bench';
 * console.log(channelMoments([1, 10, 3, 10], 2)); // mean [2, 10], std [1, 0]
 * ```
 */
export function channelMoments(values: ArrayLike<number>, channels: number): ChannelMoments {
  if (values.length === 0 || values.length % channels !== 0) {
    throw new ConfigError(`there are ${values.length} values, expected a positive multiple of ${channels} channels`, 'pass whole images');
  }
  const count = values.length / channels;
  const of = (channel: number, term: (value: number) => number): number => {
    let sum = 0;
    for (let p = channel; p < values.length; p += channels) sum += term(values[p] ?? 0);
    return sum / count;
  };
  const mean = Array.from({ length: channels }, (_, c) => of(c, (value) => value));
  return { mean, std: mean.map((m, c) => Math.sqrt(of(c, (value) => (value - m) ** 2))) };
}

/** `(x − mean_c) / std_c` of every value, in float64. @throws ConfigError if means and deviations differ in number. */
export function standardiseValues(values: ArrayLike<number>, { mean, std }: ChannelMoments): Float64Array {
  const channels = mean.length;
  checkChannels({ mean, std }, channels);
  return Float64Array.from(values, (value, p) => (value - (mean[p % channels] ?? 0)) / (std[p % channels] ?? Number.NaN));
}

/** `(u / scale − mean_c) / std_c` of every byte `u`, per channel, in float64. @throws ConfigError for another number of channels. */
export function affineTables({ scale, mean, std }: Normalisation, channels: number): Float64Array[] {
  checkChannels({ mean, std }, channels);
  const bytes = Float64Array.from({ length: 256 }, (_, u) => u / scale);
  return mean.map((m, c) => standardiseValues(bytes, { mean: [m], std: [std[c] ?? Number.NaN] }));
}

function checkChannels({ mean, std }: ChannelMoments, channels: number): void {
  if (mean.length === channels && std.length === channels) return;
  throw new ConfigError(
    `the normalisation has ${mean.length} means and ${std.length} standard deviations, expected ${channels} of each`,
    "pass the data set's own normalisation",
  );
}
