import { ConfigError } from '@bpc/core';

/** Bounds on how many of N ranks are at most k − 1, for k = 1 … `draws`. */
export interface RankBand {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** log 0!, log 1!, … log n!. */
function logFactorials(n: number): Float64Array {
  const logs = new Float64Array(n + 1);
  for (let i = 1; i <= n; i++) logs[i] = (logs[i - 1] as number) + Math.log(i);
  return logs;
}

/** P(X = x) for X ~ Binomial(n, p), x = 0 … n. */
function binomial(n: number, p: number, logs: Float64Array): Float64Array {
  const [yes, no] = [Math.log(p), Math.log1p(-p)];
  const log = (k: number) => logs[k] as number;
  return Float64Array.from({ length: n + 1 }, (_, x) => Math.exp(log(n) - log(x) - log(n - x) + x * yes + (n - x) * no));
}

/** The x whose tails P(X ≤ x) and P(X ≥ x) are both at least γ/2. */
function centralRange(probabilities: Float64Array, gamma: number): readonly [low: number, high: number] {
  let [low, high] = [0, probabilities.length - 1];
  for (let below = probabilities[0] as number; below < gamma / 2; below += probabilities[low] as number) low += 1;
  for (let above = probabilities[high] as number; above < gamma / 2; above += probabilities[high] as number) high -= 1;
  return [low, high];
}

/** Probability that the counts of N uniform ranks stay within the band all the way. */
function coverage({ low, high }: RankBand, count: number, cells: number, logs: Float64Array): number {
  // Cumulative counts are a Markov chain: the next cell takes a binomial part of what is left.
  let chances = new Float64Array(count + 1);
  chances[0] = 1;
  low.forEach((least, k) => {
    const most = high[k] ?? count;
    const p = 1 / (cells - k);
    const [yes, no] = [Math.log(p), Math.log1p(-p)];
    const next = new Float64Array(count + 1);
    const [from, to] = k === 0 ? [0, 0] : [low[k - 1] ?? 0, high[k - 1] ?? count];
    for (let x = from; x <= to; x++) {
      const left = count - x;
      const chance = chances[x] as number;
      for (let y = Math.max(x, least); y <= most; y++) {
        const log = (logs[left] as number) - (logs[y - x] as number) - (logs[count - y] as number) + (y - x) * yes + (count - y) * no;
        next[y] = (next[y] as number) + chance * Math.exp(log);
      }
    }
    chances = next;
  });
  return chances.reduce((sum, chance) => sum + chance, 0);
}

/**
 * A simultaneous band for the empirical distribution of ranks: if `count` ranks are uniform on 0 … `draws`, the numbers of
 * ranks ≤ k − 1 are within the band for all k = 1 … `draws` at once with probability at least 1 − `level`.
 *
 * Each bound is a central range of Binomial(count, k/(draws + 1)) of probability 1 − γ; γ is the largest one whose exact
 * simultaneous coverage is enough. Säilynoja, Bürkner and Vehtari (2022), Graphical test for discrete uniformity,
 * Statistics and Computing 32, algorithm 2.
 *
 * @throws ConfigError unless `count` and `draws` are positive integers and 0 < level < 1.
 */
export function rankBand(count: number, draws: number, level: number): RankBand {
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(draws) || draws < 1) {
    throw new ConfigError(`there are ${count} ranks among ${draws} draws, expected positive integers`, 'pass both counts');
  }
  if (!(level > 0 && level < 1)) throw new ConfigError(`level is ${level}, expected a number in (0, 1)`, 'pass 0.01, say');
  const logs = logFactorials(count);
  const laws = Array.from({ length: draws }, (_, k) => binomial(count, (k + 1) / (draws + 1), logs));
  const bandOf = (gamma: number): RankBand => {
    const ranges = laws.map((law) => centralRange(law, gamma));
    return { low: ranges.map(([low]) => low), high: ranges.map(([, high]) => high) };
  };
  // γ is at most the level, and at least the level shared among all points.
  let [safe, wide] = [Math.log(level / (2 * draws)), Math.log(level)];
  for (let i = 0; i < 20; i++) {
    const middle = (safe + wide) / 2;
    if (coverage(bandOf(Math.exp(middle)), count, draws + 1, logs) >= 1 - level) safe = middle;
    else wide = middle;
  }
  return bandOf(Math.exp(safe));
}

/** Whether ranks look uniform. */
export interface RankCheck {
  /** Whether the empirical distribution leaves the band. */
  readonly rejected: boolean;
  /** The largest difference between the share of ranks ≤ k − 1 and k/(draws + 1), with its sign. */
  readonly largestDifference: number;
}

/**
 * Whether ranks are uniform on 0 … `draws`, as those of true values among posterior draws are when data come from the prior:
 * simulation-based calibration (Talts et al. 2018), judged by `rankBand`.
 *
 * @param ranks Of each replication's true value among its (nearly independent) draws: how many are below it.
 * @param level Probability of a false alarm.
 * @throws ConfigError for ranks that are no integers in 0 … `draws`, and like `rankBand`.
 * @example
 * ```ts
 * import { checkRanks } from '@bpc/samplers/testing';
 * const even = Array.from({ length: 200 }, (_, i) => i % 10);
 * checkRanks(even, 9, 0.01).rejected; // false
 * checkRanks(even.map((rank) => Math.min(rank, 7)), 9, 0.01).rejected; // true
 * ```
 */
export function checkRanks(ranks: readonly number[], draws: number, level: number): RankCheck {
  const { low, high } = rankBand(ranks.length, draws, level);
  const cells = new Int32Array(draws + 1);
  for (const rank of ranks) {
    if (!Number.isSafeInteger(rank) || rank < 0 || rank > draws) {
      throw new ConfigError(`a rank is ${rank}, expected an integer in [0, ${draws}]`, 'count the draws below the true value');
    }
    cells[rank] = (cells[rank] as number) + 1;
  }
  let below = 0;
  let rejected = false;
  let largestDifference = 0;
  for (let k = 0; k < draws; k++) {
    below += cells[k] as number;
    if (below < (low[k] as number) || below > (high[k] as number)) rejected = true;
    const difference = below / ranks.length - (k + 1) / (draws + 1);
    if (Math.abs(difference) > Math.abs(largestDifference)) largestDifference = difference;
  }
  return { rejected, largestDifference };
}
