import { compiledRuntime } from '@bpc/compiler';
import { ConfigError, type Runtime } from '@bpc/core';
import { serializeModel } from './model/serialize.js';
import { type OnnxOptions, resolveOptions } from './options.js';
import { isUnbundled, remedyFor } from './providers.js';
import { onnxTarget } from './target.js';

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
export async function onnxRuntime(options: OnnxOptions): Promise<Runtime> {
  const target = onnxTarget(options);
  await probe(options);
  return compiledRuntime({ target });
}

/** ONNX Runtime's messages begin with a place in its sources and end with a new line. */
const reasonOf = (message: string): string => message.replace(/^\/\S+\.cc:\d+ .* was false\. /s, '').trim();

/**
 * Starts the first provider once. It may be part of the module and still not start: no GPU, no driver, libraries not
 * installed.
 *
 * @throws ConfigError naming the provider and ONNX Runtime's reason.
 */
export async function probe(options: OnnxOptions): Promise<void> {
  const { ort, provider, session } = resolveOptions(options);
  const value = { type: 'float32', shape: [1] } as const;
  const identity = { name: 'probe/y', op: 'Identity', domain: '', inputs: ['x'], outputs: ['y'], attributes: {} };
  const model = serializeModel({
    name: 'probe',
    nodes: [identity],
    initializers: [],
    inputs: [{ name: 'x', ...value }],
    outputs: [{ name: 'y', ...value }],
  });
  const { logLevel } = ort.env;
  // Libraries that the package leaves out are reported on the terminal as well as thrown, at the level of the first session.
  const quieten = isUnbundled(provider, ort);
  try {
    if (quieten) ort.env.logLevel = 'fatal';
    const { enableProfiling: _, ...quiet } = session;
    const created = await ort.InferenceSession.create(model, quiet);
    if ('release' in created && typeof created.release === 'function') await created.release();
  } catch (cause) {
    const reason = reasonOf(cause instanceof Error ? cause.message : String(cause));
    throw new ConfigError(`executionProviders: '${provider}' does not start: ${reason}`, remedyFor(provider, ort), { cause });
  } finally {
    if (quieten && logLevel !== undefined) ort.env.logLevel = logLevel;
  }
}
