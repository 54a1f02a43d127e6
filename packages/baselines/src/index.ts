export * from './glm/index.js';
export * from './hilbert/index.js';
export * from './log-likelihoods.js';
export * from './points.js';
export type { RowMatrix } from './row-matrix.js';
export * from './subset/index.js';
export * from './to-coreset.js';
export * from './variational/index.js';
