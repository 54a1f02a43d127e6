export { type NutsInfo, type NutsKernel, type NutsKernelOptions, nutsKernel } from './kernel.js';
export { denseMetric, diagonalMetric, type Metric, unitMetric } from './metric.js';
export { type NutsOptions, type NutsState, nuts } from './nuts.js';
export { type RandomStream, randomStream } from './random-stream.js';
