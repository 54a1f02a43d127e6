export * from './close.js';
export * from './divergence-conformance.js';
export * from './gradient-check.js';
export * from './leak-check.js';
