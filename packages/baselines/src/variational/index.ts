export * from './model-sampler.js';
export * from './sparse-vi.js';
export * from './weighted-sampler.js';
