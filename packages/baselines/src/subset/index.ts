export * from './forgetting.js';
export { type HerdingOptions, type HerdingSubset, herding } from './herding.js';
export * from './k-center-greedy.js';
export type { Quota } from './quota.js';
export * from './random-subset.js';
export { type Subset, takeFirst, type WeightedSubset, type Weighting } from './subset.js';
