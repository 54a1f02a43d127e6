import { contrastiveEstimate, type DivergenceInput, type Tree, treeMap } from '@bpc/core';
import { stack, type Tensor } from '@tensorflow/tfjs-core';
import type { DivergenceTask } from './task.js';

/** Standard normal draws shaped like the parameters, `count` of a kind. */
export type GivenNoise = (kind: 'expert' | 'posterior' | 'chain', count: number) => readonly Tree[];

/** Draws stacked along axis 0 of every leaf. */
const stacked = ([first, ...rest]: readonly Tree[]): Tree =>
  first === undefined ? [] : treeMap((...leaves: readonly Tensor[]) => stack([...leaves]), first, ...rest);

/** The estimate of a task with all its noise given: value, and gradients by what they are in. */
export function estimateOf({ method, settings }: DivergenceTask, input: DivergenceInput<Tree>, noise: GivenNoise): Record<string, Tree> {
  const { innerSteps: steps, stepSize, temperature, sigma } = settings;
  switch (method) {
    case 'bpc-cd': {
      const [expert] = noise('expert', 1);
      const { grad, value } = contrastiveEstimate(
        input,
        { expert, chain: stacked(noise('chain', steps)) },
        { steps, stepSize, temperature, sigma },
      );
      return { x: grad.x ?? [], value };
    }
    default:
      throw new Error(`${method} is not there`);
  }
}
