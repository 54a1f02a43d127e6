import { checkPositive, checkWhole, demand } from '../check.js';

/** @throws ConfigError unless positive and finite. */
export const checkStepSize = (value: number): number => checkPositive('stepSize', value);

/** @throws ConfigError unless positive and finite. */
export const checkTemperature = (value: number): number => checkPositive('temperature', value);

/** The most doublings that anyone can wait for: a million gradients. */
const DEEPEST = 20;

/** @throws ConfigError unless an integer in [1, 20]. */
export const checkMaxDepth = (value: number): number => checkWhole('maxDepth', value, 1, DEEPEST);

/** @throws ConfigError unless positive; infinite is allowed. */
export const checkDivergenceThreshold = (value: number): number => demand(value > 0, 'divergenceThreshold', value, 'a positive number');

/** @throws ConfigError unless in (0, 1). */
export const checkTargetAcceptance = (value: number): number =>
  demand(value > 0 && value < 1, 'targetAcceptance', value, 'a number in (0, 1)');

/** @throws ConfigError unless a non-negative integer. */
export const checkWarmup = (value: number): number => checkWhole('warmup', value, 0);

/** @throws ConfigError unless a positive integer. */
export const checkSize = (value: number): number => checkWhole('size', value);
