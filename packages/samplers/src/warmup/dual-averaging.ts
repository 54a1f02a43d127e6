import { checkStepSize, checkTargetAcceptance } from '../nuts/check.js';

/** Options of `dualAveraging`. */
export interface DualAveragingOptions {
  /** Mean acceptance probability to aim for, in (0, 1) (0.8 by default, Stan's). */
  readonly targetAcceptance?: number;
}

/** A step size that learns from acceptance probabilities. */
export interface DualAveraging {
  /** To explore with: ε of the last update. */
  readonly stepSize: number;
  /** ε̄, the average to keep when learning is over; the exploring one before any update. */
  readonly averaged: number;
  /** Forgets everything and starts from a step size. @throws ConfigError unless positive and finite. */
  begin(stepSize: number): void;
  /** Learns from one transition's acceptance probability; above 1 counts as 1, not a number as 0. */
  update(acceptance: number): void;
  /** All its numbers, to continue bitwise. */
  save(): Float64Array;
  load(saved: Float64Array): void;
}

/** Stan's constants: γ regularises towards μ, t₀ damps the first updates, κ forgets them. */
const GAMMA = 0.05;
const DAMPING = 10;
const FORGETTING = 0.75;

/** Beyond these a step size is no number to compute with: a chain that never moves, or always does. */
const SMALLEST = 1e-300;
const LARGEST = 1e300;

const [MU, ERROR, LOG_AVERAGE, COUNT, STEP] = [0, 1, 2, 3, 4];

/**
 * Nesterov's dual averaging of the log step size (Hoffman & Gelman 2014, section 3.2.1), with Stan's constants.
 *
 * `H̄ₘ = (1 − 1/(m + t₀)) H̄ₘ₋₁ + (δ − aₘ)/(m + t₀)`, `log εₘ = μ − √m/γ·H̄ₘ`, `log ε̄ₘ = m^−κ log εₘ + (1 − m^−κ) log ε̄ₘ₋₁`,
 * with γ = 0.05, t₀ = 10, κ = 0.75 and μ = log(10·ε₀).
 *
 * @throws ConfigError unless the target is in (0, 1).
 * @example
 * ```ts
 * import { dualAveraging } from '@bpc/samplers';
 * const adaptation = dualAveraging({ targetAcceptance: 0.8 });
 * adaptation.begin(0.1);
 * adaptation.update(0.95);
 * console.log(adaptation.stepSize, adaptation.averaged);
 * ```
 */
export function dualAveraging(options: DualAveragingOptions = {}): DualAveraging {
  const target = checkTargetAcceptance(options.targetAcceptance ?? 0.8);
  const state = new Float64Array(5);
  const get = (index: number): number => state[index] as number;
  const begin = (stepSize: number): void => {
    state.fill(0);
    state[MU] = Math.log(10 * checkStepSize(stepSize));
    state[STEP] = stepSize;
  };
  begin(1);
  return {
    get stepSize() {
      return get(STEP);
    },
    get averaged() {
      return get(COUNT) === 0 ? get(STEP) : bounded(get(LOG_AVERAGE));
    },
    begin,
    update(acceptance) {
      const accepted = Number.isNaN(acceptance) ? 0 : Math.min(1, Math.max(0, acceptance));
      const count = get(COUNT) + 1;
      const weight = 1 / (count + DAMPING);
      const error = (1 - weight) * get(ERROR) + weight * (target - accepted);
      const log = get(MU) - (Math.sqrt(count) / GAMMA) * error;
      const fresh = count ** -FORGETTING;
      state[COUNT] = count;
      state[ERROR] = error;
      state[LOG_AVERAGE] = fresh * log + (1 - fresh) * get(LOG_AVERAGE);
      state[STEP] = bounded(log);
    },
    save: () => state.slice(),
    load: (saved) => state.set(saved),
  };
}

const bounded = (log: number): number => Math.min(LARGEST, Math.max(SMALLEST, Math.exp(log)));
