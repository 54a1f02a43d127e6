export * from './eager/index.js';
export type { OnnxOptions } from './options.js';
export type { ExecutionProvider, OrtModule, OrtSession, OrtSessionOptions, OrtTensor } from './ort.js';
export { onnxRuntime } from './runtime.js';
export { onnxTarget } from './target.js';
