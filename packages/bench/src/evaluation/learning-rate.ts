import type { EvaluationConfig } from '../config/index.js';

/** True from the step on that a `halfway` decay takes the learning rate down: the one after `⌊(steps − 1)/2⌋ + 1`, as released with BPC-CD. */
export const isPastHalfway = (step: number, steps: number): boolean => step > Math.floor((steps - 1) / 2) + 1;

/** The learning rate of step (or epoch) `i`, counted from 0, of `steps`. */
export function learningRateAt({ stepSize, decay, steps }: Pick<EvaluationConfig, 'stepSize' | 'decay' | 'steps'>, i: number): number {
  if (decay === 'cosine') return (stepSize / 2) * (1 + Math.cos((Math.PI * i) / steps));
  return decay === 'halfway' && isPastHalfway(i, steps) ? stepSize / 10 : stepSize;
}
