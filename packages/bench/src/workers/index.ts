export * from './module-url.js';
export * from './pool.js';
export * from './protocol.js';
export * from './resources.js';
export * from './run-with-progress.js';
export * from './schedule.js';
