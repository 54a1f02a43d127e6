import type { Target } from '../../target.js';
import type { PosteriorData } from './data.js';
import { eightSchools } from './eight-schools.js';
import { garch } from './garch.js';
import { gaussianProcess } from './gaussian-process.js';
import { hiddenMarkov } from './hidden-markov.js';
import { mixture } from './mixture.js';
import { autoregression, kidScores, linearRegression } from './regressions.js';

export { type CheckPosteriorOptions, checkPosterior, type PosteriorCheck } from './check-posterior.js';
export {
  type ComparedStatistic,
  type ComparisonLimits,
  comparePosterior,
  type DrawQuality,
  drawQuality,
  type PosteriorComparison,
} from './compare-posterior.js';
export type { PosteriorData } from './data.js';
export { type ReferenceQuantile, type ReferenceQuantity, referenceQuantities } from './reference.js';

/**
 * Posteriors of posteriordb (Magnusson, Bürkner and Vehtari) that come with reference draws, as targets: each takes the
 * contents of its data file. Reported quantities have the names of the reference, with indices from 0 instead of 1.
 *
 * @throws ConfigError (each of them) if the data lack what the model needs.
 * @example
 * ```ts
 * import { referencePosteriors } from '@bpc/samplers/testing';
 * const data = { J: 8, y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };
 * const schools = referencePosteriors['eight_schools-eight_schools_noncentered'](data);
 * ```
 */
export const referencePosteriors = {
  'eight_schools-eight_schools_noncentered': eightSchools,
  'sblrc-blr': linearRegression,
  'kidiq-kidscore_interaction': kidScores,
  'arK-arK': autoregression,
  'garch-garch11': garch,
  'gp_pois_regr-gp_pois_regr': gaussianProcess,
  'low_dim_gauss_mix-low_dim_gauss_mix': mixture,
  'hmm_example-hmm_example': hiddenMarkov,
} as const satisfies Readonly<Record<string, (data: PosteriorData) => Target>>;

/** Names of posteriordb. */
export type ReferencePosteriorName = keyof typeof referencePosteriors;
