import { traceKernels } from '@bpc/compiler';
import { ConfigError } from '@bpc/core';
import {
  findBackendFactory,
  getKernelsForBackend,
  type KernelFunc,
  registerBackend,
  registerKernel,
  removeBackend,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { lowerGraph } from '../lower/lower.js';
import { resolveOptions } from '../options.js';
import type { ExecutionProvider, OrtModule } from '../ort.js';
import { probe } from '../runtime.js';
import { loadExecutable } from '../session.js';
import { OnnxBackend } from './backend.js';
import { fallbackOn } from './fallback.js';
import { fallbackKernel, type KernelOptions, loweredKernel } from './kernels.js';
import { type ProgramCache, programCache } from './program-cache.js';
import { callCounter, type OnnxBackendStatistics } from './statistics.js';

/** Settings of the eager backend. */
export interface OnnxBackendOptions {
  /** The ONNX Runtime module: `import * as ort from 'onnxruntime-node'` or `'onnxruntime-web'`. */
  readonly ort: OrtModule;
  /** Name for `setBackend`. Default `'onnx'`. */
  readonly name?: string;
  /** Providers in order of preference, as ONNX Runtime names them. Default `['cpu']`. */
  readonly executionProviders?: readonly ExecutionProvider[];
  /** Threads per kernel. Default 1: every cached session has threads of its own, and single kernels gain little from them. */
  readonly threads?: number;
  /**
   * Name of a registered tfjs backend that runs the kernels without a lowering, on the host: `'cpu'`. It must be able to
   * read tensors synchronously. Default: none, such kernels are errors.
   */
  readonly fallback?: string;
  /**
   * Sessions kept, one per kernel, shapes, dtypes and attributes; the one not used for longest is released. Default 1000,
   * more than a network of a few dozen layers needs for a training step.
   */
  readonly sessions?: number;
}

/** A registered eager backend. */
export interface RegisteredOnnxBackend {
  readonly name: string;
  /** What ran where since the backend was registered. */
  stats(): OnnxBackendStatistics;
}

const KNOWN: ReadonlySet<string> = new Set(['ort', 'name', 'executionProviders', 'threads', 'fallback', 'sessions']);

function check(options: OnnxBackendOptions): void {
  const { name = 'onnx', fallback, sessions = 1 } = options;
  for (const option of Object.keys(options)) {
    if (!KNOWN.has(option)) throw new ConfigError(`unknown option '${option}'`, `pass only ${[...KNOWN].join(', ')}`);
  }
  if (typeof name !== 'string' || name === '') throw new ConfigError(`name is ${String(name)}, expected text`, "leave it out for 'onnx'");
  if (!(Number.isInteger(sessions) && sessions >= 1)) {
    throw new ConfigError(`sessions is ${String(sessions)}, expected a positive integer`, 'leave it out for 1000');
  }
  if (findBackendFactory(name) != null) {
    throw new ConfigError(`a backend named '${name}' is registered already`, `pass another name, or removeBackend('${name}') first`);
  }
  if (fallback !== undefined && (fallback === name || findBackendFactory(fallback) == null)) {
    throw new ConfigError(
      `fallback is '${fallback}', which is not another registered backend`,
      "import one first, such as '@tensorflow/tfjs-backend-cpu'",
    );
  }
}

/**
 * Registers ONNX Runtime as a tfjs backend that runs kernel by kernel, by the same lowerings as compiled programs.
 *
 * For looking at values while a program is written, and for code that cannot be traced; `onnxRuntime` compiles whole
 * programs and is faster. Values come asynchronously: read them with `data()` or `array()`; `dataSync()` of a
 * tensor that is not computed yet throws a `PendingTensorError`. A kernel that fails throws at the read of its results.
 *
 * The backend is registered when this returns; the promise is that its provider has been tried.
 *
 * @throws ConfigError if an option is outside its domain, a backend of this name exists, or the provider does not start
 * (the backend is then removed again).
 * @example
 * ```ts
 * import * as ort from 'onnxruntime-node';
 * import { matMul, removeBackend, setBackend, tensor2d } from '@tensorflow/tfjs-core';
 * import { registerOnnxBackend } from '@bpc/backend-onnx';
 * const backend = await registerOnnxBackend({ ort });
 * await setBackend(backend.name);
 * console.log(await matMul(tensor2d([[1, 2]]), tensor2d([[3], [4]])).array());
 * removeBackend(backend.name); // releases its sessions
 * ```
 */
export async function registerOnnxBackend(options: OnnxBackendOptions): Promise<RegisteredOnnxBackend> {
  check(options);
  const { ort, name = 'onnx', executionProviders, threads = 1, fallback: fallbackName, sessions = 1000 } = options;
  const runtimeOptions = {
    ort,
    threads,
    spinning: false,
    graphOptimizationLevel: 'basic',
    ...(executionProviders && { executionProviders }),
  } as const;
  const { provider, session: settings, lowering } = resolveOptions(runtimeOptions);
  // A session keeps the memory it worked in, which is sensible for one program and not for a thousand kernels.
  const session = { ...settings, enableCpuMemArena: false, enableMemPattern: false };
  const target = `onnx:${provider}`;
  const counter = callCounter();
  const fallback = fallbackName === undefined ? undefined : fallbackOn(fallbackName);
  const kernelOptions: KernelOptions = {
    target,
    fallback,
    counter,
    lower: (graph) => lowerGraph(graph, target, lowering),
    load: (graph, lowered) => loadExecutable(graph, lowered, ort, session),
  };
  const kernels = new Map<string, KernelFunc>(traceKernels.map((kernel) => [kernel.kernelName, loweredKernel(kernel, kernelOptions)]));
  if (fallback !== undefined) {
    for (const { kernelName } of getKernelsForBackend(fallback.name)) {
      if (!kernels.has(kernelName)) kernels.set(kernelName, fallbackKernel(kernelName, fallback, counter));
    }
  }
  // Kernels of a removed backend of this name stay registered.
  for (const { kernelName } of getKernelsForBackend(name)) unregisterKernel(kernelName, name);
  for (const [kernelName, kernelFunc] of kernels) registerKernel({ kernelName, backendName: name, kernelFunc });
  let programs: ProgramCache | undefined;
  const factory = () => {
    programs = programCache(sessions);
    return new OnnxBackend(name, programs);
  };
  // Below every backend that computes: it is chosen by name.
  registerBackend(name, factory, 0);
  try {
    await probe(runtimeOptions);
  } catch (error) {
    removeBackend(name);
    throw error;
  }
  return { name, stats: () => ({ ...counter.read(), programs: programs?.size ?? 0 }) };
}
