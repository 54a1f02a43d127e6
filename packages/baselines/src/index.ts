export * from './hilbert/index.js';
export type { RowMatrix } from './row-matrix.js';
export * from './subset/index.js';
