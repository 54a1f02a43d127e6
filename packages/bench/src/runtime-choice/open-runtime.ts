import { onnxRuntime } from '@bpc/backend-onnx';
import { jsRuntime } from '@bpc/compiler';
import { ConfigError, eagerRuntime, installGradients, type Runtime } from '@bpc/core';
import { env, ready, setBackend } from '@tensorflow/tfjs-core';
import { type ImportModule, importOptional } from './optional-package.js';
import { formatRuntimeName, type RuntimeName } from './runtime-name.js';

interface OpenOptions {
  readonly name: RuntimeName;
  /** Threads inside one run. */
  readonly threads: number;
  readonly load?: ImportModule;
}

/** The npm package that has a runtime's engine, if it is not one of ours. */
export function packageOf(name: RuntimeName): string | undefined {
  if (name.family === 'js') return undefined;
  if (name.family === 'onnx') return 'onnxruntime-node';
  return name.backend === 'tensorflow' ? '@tensorflow/tfjs-node' : `@tensorflow/tfjs-backend-${name.backend}`;
}

async function openTfjs(backend: string, written: string): Promise<Runtime> {
  installGradients();
  // The backend greets every process with an advertisement otherwise.
  env().set('PROD', true);
  const set = await setBackend(backend).catch(() => false);
  if (!set)
    throw new ConfigError(
      `the tfjs backend '${backend}' does not start on this machine`,
      `run bpc doctor to see what does, and pass another --runtime than ${written}`,
    );
  await ready();
  return eagerRuntime();
}

/**
 * Opens a runtime; the caller disposes it.
 *
 * @throws ConfigError when its package is not installed or does not start here.
 */
export async function openRuntime({ name, threads, load }: OpenOptions): Promise<Runtime> {
  if (name.family === 'js') return jsRuntime(name.printer === undefined ? {} : { printer: name.printer });
  const written = formatRuntimeName(name);
  const module = await importOptional(packageOf(name) ?? '', written, load);
  if (name.family === 'tfjs') return openTfjs(name.backend, written);
  return openOnnx(name.provider, threads, module);
}

async function openOnnx(provider: string, threads: number, module: unknown): Promise<Runtime> {
  // CommonJS packages show their exports under `default` as well; the namespace has the named ones.
  const ort = module as Parameters<typeof onnxRuntime>[0]['ort'];
  try {
    return await onnxRuntime({ ort, executionProviders: [provider], threads });
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(
      `ONNX Runtime's provider '${provider}' does not start on this machine`,
      'pass --runtime onnx:cpu, or install what the provider needs (webgpu: on Linux the Vulkan loader and a driver; cuda: driver, CUDA 12 and cuDNN 9, then npm rebuild onnxruntime-node --ignore-scripts=false; docs/guide/gpu.md)',
      { cause },
    );
  }
}
