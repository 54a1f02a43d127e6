import type { Printer } from '@bpc/compiler';
import { ConfigError } from '@bpc/core';
import { suggest } from '../config/index.js';

/** A runtime's name, taken apart. */
export type RuntimeName =
  /** Without a printer, each program gets the one that suits it. */
  | { readonly family: 'js'; readonly printer?: Printer }
  | { readonly family: 'onnx'; readonly provider: string }
  | { readonly family: 'tfjs'; readonly backend: string };

const onnxProviders = ['cpu', 'cuda', 'webgpu', 'dml', 'coreml'] as const;
const tfjsBackends = ['cpu', 'wasm', 'tensorflow'] as const;

const printers: readonly Printer[] = ['javascript', 'wasm', 'interpreter'];

/** The runtimes, best first. */
export const runtimeNames: readonly string[] = [
  'onnx:cpu',
  'js',
  ...tfjsBackends.map((backend) => `tfjs:${backend}`),
  ...onnxProviders.slice(1).map((provider) => `onnx:${provider}`),
];

/** Every name that `--runtime` accepts: the runtimes, and the js runtime with one printer for all programs. */
const accepted: readonly string[] = [...runtimeNames, ...printers.map((printer) => `js:${printer}`)];

/** The name as it is written on the command line. */
export function formatRuntimeName(name: RuntimeName): string {
  if (name.family === 'js') return name.printer === undefined ? 'js' : `js:${name.printer}`;
  return name.family === 'onnx' ? `onnx:${name.provider}` : `tfjs:${name.backend}`;
}

/**
 * Reads a runtime's name.
 *
 * @throws ConfigError listing the known names.
 */
export function parseRuntimeName(name: string): RuntimeName {
  if (!accepted.includes(name)) {
    const near = suggest(name, accepted);
    throw new ConfigError(
      `runtime is '${name}', expected one of: ${accepted.join(', ')}`,
      near === undefined ? 'pass --runtime with one of these names' : `did you mean '${near}'?`,
    );
  }
  const [family, device = ''] = name.split(':');
  if (family === 'onnx') return { family, provider: device };
  if (family === 'tfjs') return { family, backend: device };
  const printer = printers.find((each) => each === device);
  return printer === undefined ? { family: 'js' } : { family: 'js', printer };
}
