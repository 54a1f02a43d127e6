export { nutsKernel } from './kernel.js';
export type { NutsInfo, NutsKernel, NutsKernelOptions } from './kernel-interface.js';
export { denseMetric, diagonalMetric, type Metric, unitMetric } from './metric.js';
export { type NutsOptions, type NutsState, nuts } from './nuts.js';
export { type RandomStream, randomStream } from './random-stream.js';
