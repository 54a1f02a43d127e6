export { choleskyFactor, solveLower, solveLowerTransposed } from './host.js';
export { inverseRoot } from './inverse-root.js';
export { choleskyKernel, triangularSolveKernel } from './kernels.js';
export { cholesky, logDet, type TriangularSolveOptions, triangularSolve } from './linalg.js';
