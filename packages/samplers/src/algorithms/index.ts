export { type HmcInfo, type HmcNoise, type HmcOptions, type HmcState, hmc, hmcStep } from './hmc.js';
export { type LeapfrogOptions, leapfrog, leapfrogStep, type MovingPoint, type PhasePoint } from './leapfrog.js';
export { type MalaInfo, type MalaNoise, type MalaOptions, type MalaState, mala, malaStep } from './mala.js';
export { metricOf, type TensorMetric } from './metric.js';
export { type MetropolisOptions, type MetropolisResult, metropolis } from './metropolis.js';
export { type MinibatchOptions, minibatchLogDensity } from './minibatch.js';
export { type PsgldInfo, type PsgldOptions, type PsgldState, psgld, psgldStep } from './psgld.js';
export { type CyclicalSchedule, type CyclicalScheduleOptions, cyclicalSchedule } from './schedules.js';
export type { LogDensityOptions, Setting } from './settings.js';
export { type SghmcInfo, type SghmcOptions, type SghmcState, sghmc, sghmcStep } from './sghmc.js';
export { type SgldInfo, type SgldOptions, type SgldState, sgld, sgldStep } from './sgld.js';
export type { TunedOptions, TunedState } from './tuned-state.js';
export { type UlaInfo, type UlaOptions, type UlaState, ula, ulaStep } from './ula.js';
export {
  type UnderdampedLangevinInfo,
  type UnderdampedLangevinOptions,
  type UnderdampedLangevinState,
  underdampedLangevin,
  underdampedLangevinStep,
} from './underdamped-langevin.js';
