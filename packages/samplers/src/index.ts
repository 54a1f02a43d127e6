export { constantSchedule, key, polynomialSchedule } from '@bpc/core';
export * from './algorithms/index.js';
export * from './diagnostics/index.js';
export { type Draws, type Series, series, type Variable } from './draws.js';
export * from './nuts/index.js';
export { type DataTensors, type Target, target } from './target.js';
export * from './transforms/index.js';
export { targetQuantities, unconstrainedDensity } from './unconstrained.js';
export * from './warmup/index.js';
