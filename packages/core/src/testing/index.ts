export * from './close.js';
export * from './divergence-conformance.js';
export * from './gradient-check.js';
export * from './leak-check.js';
export { optimizerConformance, type OptimizerConformanceOptions } from './optimizer-conformance.js';
export { algorithmConformance, type AlgorithmConformanceOptions } from './protocol-conformance.js';
