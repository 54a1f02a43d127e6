export { checkRanks, type RankBand, type RankCheck, rankBand } from './calibration/rank-band.js';
export {
  expectStationary,
  type StationaryFinding,
  type StationaryOptions,
  type Statistic,
} from './expect-stationary.js';
export * from './posteriors/index.js';
export {
  type ConformancePosition,
  type ConformanceTarget,
  type RegisterAsyncTest,
  type SamplerConformanceOptions,
  samplerConformance,
} from './sampler-conformance.js';
export { type SimulateOptions, simulate } from './simulate.js';
