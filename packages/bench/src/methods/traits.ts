import type { MethodName, RunConfig } from '../config/index.js';
import type { Dataset } from '../data/dataset.js';

/** What a method is, apart from its numbers. */
export interface MethodTraits {
  /** As the literature calls it. */
  readonly title: string;
  /** What is brought down, in words. */
  readonly about: string;
  /** Whether each estimate looks at a batch of real images. */
  readonly real: boolean;
  /** What weights add up to at the start: `points` M (each is 1), or `data` N (each point stands for N/M of them). */
  readonly totalWeight: 'points' | 'data';
}

/** The methods that `bpc learn` knows. */
export const methodTraits: Readonly<Record<MethodName, MethodTraits>> = {
  'bpc-cd': { title: 'BPC-CD', about: 'contrastive divergence after k inner steps from an expert', real: false, totalWeight: 'points' },
  'bpc-fkl': { title: 'BPC-fKL', about: 'KL from the posterior of the data to that of the coreset', real: false, totalWeight: 'points' },
  'bpc-rkl': { title: 'BPC-rKL', about: 'KL from the posterior of the coreset to that of the data', real: true, totalWeight: 'points' },
  'bpc-w': { title: 'BPC-W', about: 'Wasserstein distance between inner steps and expert', real: false, totalWeight: 'points' },
  psvi: { title: 'PSVI', about: 'KL from the weighted posterior of the coreset to that of the data', real: true, totalWeight: 'data' },
};

/** The weight of every point before learning: 1, or N/M where weights stand for numbers of training images. */
export function startWeight(
  { method, ipc }: Pick<RunConfig, 'method' | 'ipc'>,
  { train, classes }: { readonly train: Pick<Dataset['train'], 'count'>; readonly classes: number },
): number {
  return methodTraits[method].totalWeight === 'data' ? train.count / (ipc * classes) : 1;
}
