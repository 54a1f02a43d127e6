export * from './close.js';
export * from './divergence-conformance.js';
export * from './gradient-check.js';
export { type HostAlgorithmConformanceOptions, hostAlgorithmConformance } from './host-conformance.js';
export * from './leak-check.js';
export { type OptimizerConformanceOptions, optimizerConformance } from './optimizer-conformance.js';
export { type AlgorithmConformanceOptions, algorithmConformance } from './protocol-conformance.js';
