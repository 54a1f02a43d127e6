export { onnxRuntime } from './runtime.js';
export { onnxTarget } from './target.js';
//# sourceMappingURL=index.js.map