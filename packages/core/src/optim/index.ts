export { applyUpdates, chain, type Optimizer, type Schedule } from './optimizer.js';
export * from './optimizers.js';
export * from './per-part.js';
export * from './schedules.js';
export * from './transforms.js';
