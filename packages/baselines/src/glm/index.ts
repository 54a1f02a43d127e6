export type { FamilyName } from './family.js';
export * from './generalised-linear-model.js';
export { type LaplaceFit, laplaceKl } from './laplace-fit.js';
