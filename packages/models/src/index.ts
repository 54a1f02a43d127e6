export * from './conv-net.js';
export { type Affine, initAffine, initNorm, type Norm } from './init.js';
export * from './mlp.js';
