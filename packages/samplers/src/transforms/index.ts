export { choleskyCorrelation, choleskyCovariance } from './cholesky.js';
export { interval, lowerBounded, positive, real, upperBounded } from './elementwise.js';
export { ordered, positiveOrdered } from './ordered.js';
export type { Constrained, Parameter, ParameterTensors, ParameterTree } from './parameter.js';
export {
  constrainTree,
  isParameter,
  parameterNames,
  parameterShapes,
  unconstrainedLike,
  unconstrainTree,
} from './parameter-tree.js';
export { simplex } from './simplex.js';
