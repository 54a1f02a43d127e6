export { type Builder, graphBuilder, topologicalOrder } from './builder.js';
export { constant, scalar } from './constant.js';
export { argMax, cholesky, cumSum, gather, matMul, scatterAdd, topK, triangularSolve, windowed } from './contractions.js';
export { binary, cast, compare, select, unary } from './elementwise.js';
export * from './node.js';
export { printGraph } from './print.js';
export { mean, reduce } from './reduce.js';
export { broadcast, reshape, transpose } from './views.js';
export { concat, pad, reverse, slice } from './windows.js';
