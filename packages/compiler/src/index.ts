export { topologicalOrder } from './ir/builder.js';
export * from './ir/node.js';
export { printGraph } from './ir/print.js';
export { type CompiledRuntimeOptions, compiledRuntime } from './runtime/compiled-runtime.js';
export { jsRuntime } from './targets/js/runtime.js';
export { type JsTargetOptions, jsTarget } from './targets/js/target.js';
export type { TraceOptions } from './trace/session.js';
export type { NoiseSource } from './trace/symbolic-key.js';
export { type InputSource, type TensorSource, type Traced, trace } from './trace/trace.js';
