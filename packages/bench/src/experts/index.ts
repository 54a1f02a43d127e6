export * from './batches.js';
export * from './expert-file.js';
export * from './expert-source.js';
export * from './network.js';
export * from './train-experts.js';
export * from './train-network.js';
export * from './training-program.js';
export * from './working-set.js';
