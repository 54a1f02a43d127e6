export { KernelError, PendingTensorError } from './errors.js';
export { type OnnxBackendOptions, type RegisteredOnnxBackend, registerOnnxBackend } from './register.js';
export type { OnnxBackendStatistics } from './statistics.js';
