export * from './alex-net.js';
export * from './conv-net.js';
export type { Affine, Kernel, Norm } from './init.js';
export * from './mlp.js';
export * from './res-net.js';
export * from './vgg.js';
