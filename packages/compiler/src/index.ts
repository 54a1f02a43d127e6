export * from './ir/index.js';
export { compiledRuntime, type CompiledRuntimeOptions } from './runtime/compiled-runtime.js';
export type { TraceOptions } from './trace/session.js';
export type { NoiseSource } from './trace/symbolic-key.js';
export { type InputSource, trace, type Traced, type TensorSource } from './trace/trace.js';
export { jsRuntime } from './targets/js/runtime.js';
export { compileToJs, type JsExecutable, jsTarget, type JsTargetOptions } from './targets/js/target.js';
