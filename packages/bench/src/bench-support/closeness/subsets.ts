import { giga, projectLogLikelihoods, randomSubset, sparseVi, type WeightedSubset } from '@bpc/baselines';
import { foldIn, type Key } from '@bpc/core';
import { linearModelOf, subsetPoints } from './model.js';
import { type ClosenessProblem, type HostPoints, trainCount } from './problem.js';
import type { Settings, SubsetName } from './spaces.js';

/** Points that stand for all in SparseVI's sums, drawn anew for each estimate. */
const SUBSAMPLE = 500;

/** M points drawn uniformly without replacement, each of weight N/M: the control, and where learning starts. */
export function randomPoints(problem: ClosenessProblem, key: Key): HostPoints {
  const { indices, weights } = randomSubset({ count: trainCount(problem), points: problem.points, key, weighting: 'data' });
  return subsetPoints(problem, indices, weights);
}

async function choose(
  method: SubsetName,
  problem: ClosenessProblem,
  settings: Settings,
  { key, signal }: { readonly key: Key; readonly signal?: AbortSignal },
): Promise<WeightedSubset> {
  const model = linearModelOf(problem, problem.train);
  const count = trainCount(problem);
  const { points } = problem;
  if (method === 'giga') {
    const pilot = randomSubset({ count, points: Math.min(count, Number(settings['pilot'])), key: foldIn(key, 0), weighting: 'data' });
    const draws = model.laplace(pilot).draw(foldIn(key, 1), Number(settings['draws']));
    const vectors = projectLogLikelihoods({ logLikelihoods: model.logLikelihoods(draws) });
    return giga({ vectors, iterations: 10 * points, points });
  }
  return sparseVi({
    sampler: model.sampler,
    count,
    iterations: points,
    key,
    draws: Number(settings['draws']),
    reweightingSteps: Number(settings['reweightingSteps']),
    initialStep: Number(settings['initialStep']),
    ...(count > SUBSAMPLE ? { subsample: SUBSAMPLE } : {}),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Points of the data with the weights that a method gives them; at most M. */
export async function chosenPoints(
  method: SubsetName,
  problem: ClosenessProblem,
  settings: Settings,
  tools: { readonly key: Key; readonly signal?: AbortSignal },
): Promise<HostPoints> {
  const { indices, weights } = await choose(method, problem, settings, tools);
  return subsetPoints(problem, indices, weights);
}
