import { contrastiveDivergence, type Divergence } from '@bpc/core';
import type { DivergenceTask } from './task.js';

/** The divergence that a task is about, as `bpc learn` would make it. */
export function divergenceOf({ method, settings }: DivergenceTask): Divergence {
  const { innerSteps: steps, stepSize, temperature, sigma } = settings;
  switch (method) {
    case 'bpc-cd':
      return contrastiveDivergence({ steps, stepSize, temperature, sigma });
    default:
      throw new Error(`${method} is not there`);
  }
}
