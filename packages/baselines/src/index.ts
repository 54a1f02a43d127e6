export type { RowMatrix } from './row-matrix.js';
export * from './subset/index.js';
