export * from './conv-net.js';
export type { Affine, Norm } from './init.js';
export * from './mlp.js';
