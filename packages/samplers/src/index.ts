export { key } from '@bpc/core';
export { type Draws, type Series, series, type Variable } from './draws.js';
export { type DataTensors, type Target, target } from './target.js';
export type { Constrained, Parameter, ParameterTensors, ParameterTree } from './transforms/parameter.js';
