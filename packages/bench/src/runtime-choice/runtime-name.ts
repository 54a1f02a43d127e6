import { ConfigError } from '@bpc/core';
import { suggest } from '../config/index.js';

/** A runtime's name, taken apart. */
export type RuntimeName =
  | { readonly family: 'js' }
  | { readonly family: 'onnx'; readonly provider: string }
  | { readonly family: 'tfjs'; readonly backend: string };

const onnxProviders = ['cpu', 'cuda', 'webgpu', 'dml', 'coreml'] as const;
const tfjsBackends = ['cpu', 'wasm', 'tensorflow'] as const;

/** Every name that `--runtime` accepts, best first. */
export const runtimeNames: readonly string[] = [
  'onnx:cpu',
  'js',
  ...tfjsBackends.map((backend) => `tfjs:${backend}`),
  ...onnxProviders.slice(1).map((provider) => `onnx:${provider}`),
];

/** The name as it is written on the command line. */
export function formatRuntimeName(name: RuntimeName): string {
  if (name.family === 'js') return 'js';
  return name.family === 'onnx' ? `onnx:${name.provider}` : `tfjs:${name.backend}`;
}

/**
 * Reads a runtime's name.
 *
 * @throws ConfigError listing the known names.
 */
export function parseRuntimeName(name: string): RuntimeName {
  if (!runtimeNames.includes(name)) {
    const near = suggest(name, runtimeNames);
    throw new ConfigError(
      `runtime is '${name}', expected one of: ${runtimeNames.join(', ')}`,
      near === undefined ? 'pass --runtime with one of these names' : `did you mean '${near}'?`,
    );
  }
  const [family, device = ''] = name.split(':');
  if (family === 'onnx') return { family, provider: device };
  return family === 'tfjs' ? { family, backend: device } : { family: 'js' };
}
