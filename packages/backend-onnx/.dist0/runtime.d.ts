import { type Runtime } from '@bpc/core';
import { type OnnxOptions } from './options.js';
/**
 * A runtime that compiles tensor programs to ONNX graphs and runs them on ONNX Runtime, in float32.
 *
 * The fastest choice for networks; `jsRuntime` is faster for models of a few parameters, and keeps float64.
 *
 * @throws ConfigError if an option is outside its domain, or a provider cannot be started on this machine.
 * @example
 * ```ts
 * import * as ort from 'onnxruntime-node';
 * import { square, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
 * import { onnxRuntime } from '@bpc/backend-onnx';
 * const runtime = await onnxRuntime({ ort, threads: 2 });
 * const squares = runtime.compile((x: Tensor) => square(x));
 * console.log((await squares(tensor1d([1, 2, 3]))).dataSync());
 * await runtime.dispose();
 * ```
 */
export declare function onnxRuntime(options: OnnxOptions): Promise<Runtime>;
//# sourceMappingURL=runtime.d.ts.map