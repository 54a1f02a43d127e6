import {
  chainPrograms,
  type Dataset,
  evaluatedCoreset,
  hostCoreset,
  predictFromCoreset,
  preset,
  type Score,
  scorePrediction,
  splitBatches,
} from '@bpc/bench';
import { type Coreset, key, type Network, type Runtime, type Tree } from '@bpc/core';

/** Scores coresets on validation images, all in the same way: fresh networks are trained on the coreset alone. */
export function validationScorer(network: Network<Tree>, dataset: Dataset, runtime: Runtime) {
  const { evaluation: settings } = preset('digits', 1);
  const { validation, normalisation, shape } = dataset;
  const programs = chainPrograms({ network, runtime, reduction: settings.reduction });
  const batches = splitBatches({ split: validation, normalisation, batch: validation.count });
  return {
    /** Equal seeds train equal networks under equal augmentations, so that differences are those of the coresets. */
    async score(coreset: Coreset, seed: number): Promise<Score> {
      const points = evaluatedCoreset(await hostCoreset(coreset, 'probabilities'), settings);
      const common = { network, programs, settings, batches, labels: validation.labels, shape };
      return scorePrediction(await predictFromCoreset({ ...common, coreset: points, key: key(seed) }), validation);
    },
    dispose: () => programs.dispose(),
  };
}
