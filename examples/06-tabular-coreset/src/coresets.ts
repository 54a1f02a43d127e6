import { giga, type LaplaceFit, projectLogLikelihoods, randomSubset, sparseVi, type WeightedSubset } from '@bpc/baselines';
import { foldIn, type Key } from '@bpc/core';
import { pick, type WeightedPoints } from './data.js';
import { psviCoreset } from './psvi-coreset.js';
import { hostModel } from './regression.js';
import type { Settings } from './settings.js';

/** A way to make coresets, of all sizes at once where one run gives them all. */
export interface Method {
  readonly name: string;
  /** What it is, for the table's notes. */
  readonly note: string;
  /** `undefined` for a size that it does not make. */
  readonly coresets: (seed: Key) => Promise<ReadonlyMap<number, WeightedPoints>>;
}

/** Points drawn for the cheap weighting posterior. */
const CHEAP = 200;

/** The rivals, from the least to the most that they know about the posterior they should find. */
export function methods(full: WeightedPoints, settings: Settings): readonly Method[] {
  const { sizes } = settings;
  const model = hostModel(full);
  const { count } = model;
  const random = (points: number, key: Key) => randomSubset({ count, points, weighting: 'data', key });
  const chosen = (subset: WeightedSubset) => pick(full, subset.indices, subset.weights);
  const bySize = (subset: (size: number) => WeightedSubset, among = sizes) =>
    new Map(among.map((size) => [size, chosen(subset(size))] as const));
  const hilbert = (weighting: LaplaceFit, key: Key) => {
    const logLikelihoods = model.logLikelihoods(weighting.draw(key, settings.giga.draws));
    const path = giga({ vectors: projectLogLikelihoods({ logLikelihoods }), iterations: settings.giga.iterations });
    return bySize((size) => path.ofSize(size));
  };
  return [
    {
      name: 'random, w = N/M',
      note: 'points drawn uniformly, each with weight N/M',
      coresets: async (key) => bySize((size) => random(size, foldIn(key, 0))),
    },
    {
      name: 'GIGA, cheap π̂',
      note: `GIGA, weighting posterior: Laplace on ${CHEAP} random points with weight N/${CHEAP}`,
      coresets: async (key) => hilbert(model.laplace(random(CHEAP, foldIn(key, 1))), foldIn(key, 2)),
    },
    {
      name: 'GIGA, full π̂',
      note: 'GIGA, weighting posterior: Laplace on all points, which is nearly the answer',
      coresets: async (key) => hilbert(model.laplace(), foldIn(key, 2)),
    },
    {
      name: 'SparseVI',
      note: 'greedy in reverse KL, weights fitted anew after each point',
      async coresets(key) {
        const own = sizes.filter((size) => size <= settings.sparseVi.most);
        const path = await sparseVi({
          sampler: model.sampler,
          count,
          iterations: Math.max(...own),
          reweightingSteps: settings.sparseVi.reweightingSteps,
          initialStep: settings.sparseVi.initialStep,
          key: foldIn(key, 3),
        });
        return bySize((size) => path.at(size), own);
      },
    },
    {
      name: 'PSVI',
      note: 'points and weights learned together, from the random coreset of the same seed',
      async coresets(key) {
        const made = new Map<number, WeightedPoints>();
        for (const size of sizes) {
          const start = chosen(random(size, foldIn(key, 0)));
          made.set(size, await psviCoreset({ full, start, steps: settings.psviSteps, key: foldIn(foldIn(key, 4), size) }));
        }
        return made;
      },
    },
  ];
}
