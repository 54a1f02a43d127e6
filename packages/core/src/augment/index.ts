export * from './augment.js';
export * from './host.js';
export * from './parameters.js';
export * from './strategy.js';
