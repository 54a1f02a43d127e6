export * from './describe-run.js';
export * from './experts-phase.js';
export * from './initial-coreset.js';
export * from './learn-run.js';
export * from './learned-files.js';
export * from './run-results.js';
export * from './write-outputs.js';
