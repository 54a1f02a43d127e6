export { key } from '@bpc/core';
export * from './diagnostics/index.js';
export { type Draws, type Series, series, type Variable } from './draws.js';
export { type DataTensors, type Target, target } from './target.js';
export * from './transforms/index.js';
export { targetQuantities, unconstrainedDensity } from './unconstrained.js';
