export * from './check-method.js';
export * from './make-method.js';
export * from './real-batches.js';
export * from './relative-weights.js';
export * from './traits.js';
