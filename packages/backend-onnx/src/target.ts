import type { Executable, Target } from '@bpc/compiler';
import { type OnnxOptions, resolveOptions } from './options.js';
import { createExecutable } from './session.js';

/**
 * Runs traced programs on ONNX Runtime, one session per program, in float32.
 *
 * @throws ConfigError if an option is outside its domain or a provider is not part of this ONNX Runtime; from `lower`,
 * MissingKernelError if an operation has no lowering.
 */
export function onnxTarget(options: OnnxOptions): Target {
  const { ort, provider, threads, spinning, session } = resolveOptions(options);
  const name = `onnx:${provider}`;
  const live = new Set<Executable>();
  return {
    name,
    async lower(graph) {
      const inner = await createExecutable(graph, ort, name, session);
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
      return {
        provider,
        threads: threads ?? 'auto',
        spinning,
        onnxruntime: versions.node ?? versions.web ?? versions.common ?? 'unknown',
        precision: 'float32',
      };
    },
    async dispose() {
      await Promise.all([...live].map((executable) => executable.dispose()));
    },
  };
}
