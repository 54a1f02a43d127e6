import { NonFiniteError } from '@bpc/core';

/** The search ends between two neighbours, a factor 2 apart, on either side of this acceptance probability (Stan's). */
const CROSSING = 0.8;

/** Beyond these a step size is no number to compute with in float32. */
const SMALLEST = 1e-30;
const LARGEST = 1e7;

/**
 * Stan's search for a reasonable step size (Hoffman & Gelman 2014, algorithm 4), for algorithms that are stepped as a whole:
 * doubles or halves it until the acceptance probability of one transition crosses 0.8.
 *
 * @param acceptance Of try i with a step size, each from the same state with randomness of its own; NaN counts as 0.
 * @throws NonFiniteError if every step size is accepted, or none.
 */
export async function searchStepSize(from: number, acceptance: (stepSize: number, i: number) => Promise<number>): Promise<number> {
  let stepSize = from;
  let direction = 0;
  for (let i = 0; ; i++) {
    const turn = (await acceptance(stepSize, i)) > CROSSING ? 1 : -1;
    if (direction === 0) direction = turn;
    if (turn !== direction) return stepSize;
    stepSize *= direction === 1 ? 2 : 0.5;
    if (stepSize > LARGEST) {
      throw new NonFiniteError('every step size is accepted: the log density does not fall off', 0, 'give every parameter a proper prior');
    }
    if (stepSize < SMALLEST) {
      throw new NonFiniteError('no step size is accepted: the log density is not continuous here', 0, 'check its gradient at the start');
    }
  }
}
