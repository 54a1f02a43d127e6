export type { AlgorithmFactory, AlgorithmProblem } from './algorithm-programs.js';
export type { Draw, Sampling } from './draw.js';
export type { Layout } from './layout.js';
export type {
  ModelModule,
  SampleOptions,
  SamplingCheckpoint,
  SamplingInfo,
  SamplingSettings,
  StartValues,
} from './options.js';
export { type PreparedTarget, type PrepareOptions, prepareTarget } from './prepared-target.js';
export { sample } from './sample.js';
export type { MetricKind, Minibatch } from './settings.js';
export type { AlgorithmState } from './tunable-state.js';
export type { WorkerPool } from './worker-pool.js';
