import type { Runtime } from '@bpc/core';
import { compiledRuntime } from '../../runtime/compiled-runtime.js';
import { type JsTargetOptions, jsTarget } from './target.js';

/**
 * A runtime with no dependency: programs become fused float64 loops, printed as JavaScript or WebAssembly or interpreted.
 *
 * The default for small models and samplers. `density` is synchronous: a gradient of a small model costs well below a
 * microsecond, without a promise, a tensor or an allocation. Runs under every Content-Security-Policy; `options.printer`
 * overrules the automatic choice.
 *
 * @throws ConfigError if the printer that is asked for cannot run here.
 *
 * @example
 * ```ts
 * import { type Scalar, square, sub, type Tensor } from '@tensorflow/tfjs-core';
 * import { jsRuntime } from '@bpc/compiler';
 * const density = await jsRuntime().density((p: { x: Tensor }) => sub(0, square(p.x)) as Scalar, { x: 1 });
 * const gradient = new Float64Array(1);
 * console.log(density.evaluate(Float64Array.of(2), gradient), gradient); // -4 [-4]
 * ```
 */
export const jsRuntime = (options: JsTargetOptions = {}): Runtime => compiledRuntime({ target: jsTarget(options) });
