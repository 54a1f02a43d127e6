import type { Executable, Target } from '@bpc/compiler';
import { type OnnxOptions, resolveOptions } from './options.js';
import { adapterName, isWeb } from './providers.js';
import { createExecutable } from './session.js';

/**
 * Runs traced programs on ONNX Runtime, one session per program, in float32.
 *
 * @throws ConfigError if an option is outside its domain or a provider is not part of this ONNX Runtime; from `lower`,
 * MissingKernelError if an operation has no lowering.
 */
export function onnxTarget(options: OnnxOptions): Target {
  const { ort, provider, threads, spinning, session, lowering } = resolveOptions(options);
  const name = `onnx:${provider}`;
  if (isWeb(ort) && threads !== undefined && ort.env.wasm !== undefined) ort.env.wasm.numThreads = threads;
  const live = new Set<Executable>();
  return {
    name,
    async lower(graph) {
      const inner = await createExecutable(graph, ort, name, session, lowering);
      const executable: Executable = {
        run: (inputs) => inner.run(inputs),
        async dispose() {
          live.delete(executable);
          await inner.dispose();
        },
      };
      live.add(executable);
      return executable;
    },
    describe() {
      const { versions } = ort.env;
      const adapter = provider === 'webgpu' ? adapterName(ort) : undefined;
      return {
        provider,
        ...(adapter === undefined ? {} : { adapter }),
        threads: (isWeb(ort) ? ort.env.wasm?.numThreads || undefined : threads) ?? 'auto',
        spinning,
        convolution: lowering.convolution,
        precise: lowering.precise,
        onnxruntime: versions.node ?? versions.web ?? versions.common ?? 'unknown',
        precision: 'float32',
      };
    },
    async dispose() {
      await Promise.all([...live].map((executable) => executable.dispose()));
    },
  };
}
