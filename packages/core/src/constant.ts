import type { Tensor } from '@tensorflow/tfjs-core';
import { engine, findBackend } from '@tensorflow/tfjs-core';
import { hostArray, tensorsFromHost } from './host-tensor.js';
import type { HostTensor } from './runtime.js';
import { activeTrace } from './tracing.js';

/**
 * A constant of a traced program in full precision: float64 on targets that compute in float64.
 *
 * tfjs rounds every literal and every tensor to float32 before a backend sees it. A tracer recovers short decimals such as
 * `0.001` by itself; computed numbers (`Math.log(2 * Math.PI)`) need this function. Outside of a trace, and on targets that
 * compute in float32, the result is an ordinary float32 tensor; an `Int32Array` stays int32.
 *
 * The values are copied. Like every tensor made in a program or a `tidy`, the result is freed with it.
 *
 * @throws ShapeError on ragged arrays, entries that are no numbers, and a shape that does not fit its data.
 * @example
 * ```ts
 * import { mul, type Scalar, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
 * import { constant } from '@bpc/core';
 * const logNormal = ({ x }: { x: Tensor }) => sum(sub(mul(square(x), -0.5), constant(Math.log(2 * Math.PI) / 2))) as Scalar;
 * ```
 */
export function constant(value: HostTensor): Tensor {
  const trace = activeTrace();
  if (trace === undefined) return tensorsFromHost(value) as Tensor;
  const { data, shape } = hostArray(value);
  const dtype = data instanceof Int32Array ? 'int32' : 'float32';
  return engine().makeTensorFromTensorInfo(trace.traceConstant(data.slice(), shape, dtype), findBackend(engine().backendName));
}
