import { ConfigError } from '@bpc/core';
import type { Settings } from './settings.js';
import { type AlgorithmState, hasVariances, isTunable } from './tunable-state.js';

/**
 * Refuses settings that a tensor algorithm would ignore, or be wrong with.
 *
 * @param like A state of it.
 * @param statistics What it says about each transition.
 * @throws ConfigError naming the option.
 */
export function checkTuning({ metric, minibatch }: Settings, like: AlgorithmState, statistics: readonly string[]): void {
  const kind = typeof metric === 'string' ? metric : metric.kind;
  const given = kind === 'dense' || typeof metric !== 'string';
  if (!isTunable(like, statistics)) {
    if (!given) return;
    throw new ConfigError(
      `metric is ${kind}, but the algorithm has no inverse mass that could be set`,
      'leave metric out, or give the algorithm itself what it takes (psgld scales by itself, underdampedLangevin takes inverseMass)',
    );
  }
  if (minibatch !== undefined) {
    throw new ConfigError(
      'minibatch is given, but the algorithm accepts or rejects by the log density of all data',
      'leave it out, or choose an algorithm that takes estimates: sgld, psgld or sghmc',
    );
  }
  if (kind === 'dense') {
    throw new ConfigError(
      'metric is dense, which only nuts learns',
      "write metric: 'diagonal', or give the algorithm a dense inverseMass and write metric: 'unit'",
    );
  }
  if (given && kind === 'diagonal' && !hasVariances(like)) {
    throw new ConfigError('metric has variances, but the algorithm has a dense inverseMass', "give one of them, and write metric: 'unit'");
  }
}
