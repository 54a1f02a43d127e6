import { ConfigError } from '@bpc/core';

function demand(valid: boolean, name: string, value: number, expected: string): number {
  if (valid) return value;
  throw new ConfigError(`${name} is ${String(value)}, expected ${expected}`, `pass ${expected} as ${name}`);
}

const positive = (value: number): boolean => value > 0 && value < Number.POSITIVE_INFINITY;

/** @throws ConfigError unless positive and finite. */
export const checkStepSize = (value: number): number => demand(positive(value), 'stepSize', value, 'a positive finite number');

/** @throws ConfigError unless positive and finite. */
export const checkTemperature = (value: number): number => demand(positive(value), 'temperature', value, 'a positive finite number');

/** The most doublings that anyone can wait for: a million gradients. */
const DEEPEST = 20;

/** @throws ConfigError unless an integer in [1, 20]. */
export const checkMaxDepth = (value: number): number =>
  demand(Number.isSafeInteger(value) && value >= 1 && value <= DEEPEST, 'maxDepth', value, `an integer in [1, ${DEEPEST}]`);

/** @throws ConfigError unless positive; infinite is allowed. */
export const checkDivergenceThreshold = (value: number): number => demand(value > 0, 'divergenceThreshold', value, 'a positive number');

/** @throws ConfigError unless in (0, 1). */
export const checkTargetAcceptance = (value: number): number =>
  demand(value > 0 && value < 1, 'targetAcceptance', value, 'a number in (0, 1)');

/** @throws ConfigError unless a non-negative integer. */
export const checkWarmup = (value: number): number =>
  demand(Number.isSafeInteger(value) && value >= 0, 'warmup', value, 'a non-negative integer');

/** @throws ConfigError unless a positive integer. */
export const checkSize = (value: number): number => demand(Number.isSafeInteger(value) && value >= 1, 'size', value, 'an integer ≥ 1');
