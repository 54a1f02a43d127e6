import type { Target } from '@bpc/compiler';
import { type OnnxOptions } from './options.js';
/**
 * Runs traced programs on ONNX Runtime, one session per program, in float32.
 *
 * @throws ConfigError if an option is outside its domain or a provider is not part of this ONNX Runtime; from `lower`,
 * MissingKernelError if an operation has no lowering.
 */
export declare function onnxTarget(options: OnnxOptions): Target;
//# sourceMappingURL=target.d.ts.map