export { type BananaTargetOptions, bananaTarget } from './banana.js';
export { type FunnelTargetOptions, funnelTarget } from './funnel.js';
export { type GaussianTargetOptions, gaussianTarget } from './gaussian.js';
export type { KnownTarget, Moments } from './known-target.js';
export { type MixtureTargetOptions, mixtureTarget } from './mixture.js';
export { type SkewedTargetOptions, skewedTarget } from './skewed.js';
