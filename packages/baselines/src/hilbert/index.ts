export type { HilbertCoreset, HilbertPath, PathOptions } from './coreset-path.js';
export { frankWolfe, type GreedyOptions, type LineSearchPath } from './frank-wolfe.js';
export * from './giga.js';
export * from './hilbert-vectors.js';
export * from './iterative-hard-thresholding.js';
export * from './orthogonal-pursuit.js';
export { importanceSampling, type SampledPath, type SamplingOptions, uniformSampling } from './sampling.js';
