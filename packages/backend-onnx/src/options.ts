import { ConfigError } from '@bpc/core';
import { type LoweringOptions, loweringFor } from './lower/lowering-options.js';
import type { ExecutionProvider, OrtModule, OrtSessionOptions } from './ort.js';
import { isWeb, remedyFor } from './providers.js';

/** Settings of the ONNX Runtime target. */
export interface OnnxOptions {
  /** The ONNX Runtime module: `import * as ort from 'onnxruntime-node'` or `'onnxruntime-web'`. */
  readonly ort: OrtModule;
  /**
   * Providers in order of preference, as ONNX Runtime names them: `'cpu'`, `'webgpu'`, `'cuda'`, …, or `'wasm'` and `'webgpu'`
   * of onnxruntime-web. Default `['cpu']`, or `['wasm']` with onnxruntime-web. Operations that the first one lacks run on the
   * next, at last on the CPU.
   */
  readonly executionProviders?: readonly ExecutionProvider[];
  /**
   * Threads per program run. Default: ONNX Runtime's own choice, one per physical core. Workers should pass 1. With
   * onnxruntime-web it is a setting of the whole page, which takes effect before the first session.
   */
  readonly threads?: number;
  /**
   * How convolutions are written: `'winograd'` as matrix products, `'direct'` as ONNX `Conv`. Default: `'winograd'` for cpu
   * and wasm, where it was measured to be faster; `'direct'` for other providers, whose own kernels tile for the hardware.
   */
  readonly convolution?: LoweringOptions['convolution'];
  /**
   * Whether convolutions round no more than sums of products do. Default false: Winograd's transforms leave relative errors
   * of a few 1e-6 in the gradients of a network, and take less time. Means something where `convolution` is `'winograd'`.
   */
  readonly precise?: boolean;
  /**
   * Whether threads wait for the next operation by spinning. Default true: a ConvNet gradient has hundreds of joins and
   * sleeping at each costs more than the work. Pass false where other work needs the cores.
   */
  readonly spinning?: boolean;
  /**
   * ONNX Runtime's own graph optimisations. Default `'all'`; the lowering has done most of the work already, so `'basic'`
   * costs little speed where creation time matters more.
   */
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Prefix of a profile that ONNX Runtime writes per session, in Chrome's tracing format. Default: no profile. */
  readonly profile?: string;
}

/** Options after validation. */
export interface OnnxSettings {
  readonly ort: OrtModule;
  readonly provider: string;
  readonly threads: number | undefined;
  readonly spinning: boolean;
  readonly session: OrtSessionOptions;
  readonly lowering: LoweringOptions;
}

const CONVOLUTIONS = ['winograd', 'direct'] as const;
const LEVELS = ['disabled', 'basic', 'extended', 'all'] as const;
const KNOWN: ReadonlySet<string> = new Set([
  'ort',
  'executionProviders',
  'threads',
  'spinning',
  'graphOptimizationLevel',
  'profile',
  'convolution',
  'precise',
]);

const show = (value: unknown): string =>
  typeof value === 'string' ? `'${value}'` : Array.isArray(value) ? JSON.stringify(value) : String(value);

const nameOf = (provider: ExecutionProvider): string => (typeof provider === 'string' ? provider : provider.name);

/** Checks options and completes them with defaults. @throws ConfigError naming the option, its value and the remedy. */
export function resolveOptions(options: OnnxOptions): OnnxSettings {
  const { ort, convolution, precise = false, threads, spinning = true, graphOptimizationLevel = 'all', profile } = options;
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) throw new ConfigError(`unknown option '${name}'`, `pass only ${[...KNOWN].join(', ')}`);
  }
  if (
    typeof ort !== 'object' ||
    ort === null ||
    typeof ort.InferenceSession?.create !== 'function' ||
    typeof ort.Tensor !== 'function' ||
    ort.env?.versions === undefined
  ) {
    const wrapped = typeof ort === 'object' && ort !== null && 'default' in ort && Object.keys(ort).length === 1;
    throw new ConfigError(
      `ort is ${show(ort)}, expected an ONNX Runtime module`,
      wrapped
        ? "pass ort.default, or `import * as ort from 'onnxruntime-node'`"
        : "install onnxruntime-node and pass `import * as ort from 'onnxruntime-node'`",
    );
  }
  const { executionProviders = [isWeb(ort) ? 'wasm' : 'cpu'] } = options;
  if (!Array.isArray(executionProviders) || executionProviders.length === 0) {
    throw new ConfigError(`executionProviders is ${show(executionProviders)}, expected a list of names`, "pass ['cpu']");
  }
  const available = ort.listSupportedBackends?.().map((backend) => backend.name);
  for (const provider of executionProviders) {
    const name = nameOf(provider);
    if (typeof name !== 'string' || (available !== undefined && !available.includes(name))) {
      const have = available === undefined ? '' : `; this ONNX Runtime has ${available.join(', ')}`;
      throw new ConfigError(`executionProviders names ${show(name)}, which is not available${have}`, remedyFor(name, ort));
    }
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new ConfigError(`threads is ${show(threads)}, expected a positive integer`, 'pass the number of cores to use, or leave it out');
  }
  if (typeof spinning !== 'boolean') throw new ConfigError(`spinning is ${show(spinning)}, expected true or false`, 'pass a boolean');
  if (!LEVELS.includes(graphOptimizationLevel)) {
    throw new ConfigError(`graphOptimizationLevel is ${show(graphOptimizationLevel)}`, `pass one of ${LEVELS.join(', ')}`);
  }
  if (typeof precise !== 'boolean') throw new ConfigError(`precise is ${show(precise)}, expected true or false`, 'pass a boolean');
  if (convolution !== undefined && !CONVOLUTIONS.includes(convolution)) {
    throw new ConfigError(`convolution is ${show(convolution)}`, `pass one of ${CONVOLUTIONS.join(', ')}`);
  }
  const session: OrtSessionOptions = {
    executionProviders,
    graphOptimizationLevel,
    // Errors are thrown; anything below is noise on the caller's terminal.
    logSeverityLevel: 4,
    interOpNumThreads: 1,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    // Without the arena every run faults its whole working set in anew: twice the time.
    enableCpuMemArena: true,
    // One block planned for the whole run is no faster than the arena, and a third larger.
    enableMemPattern: false,
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    // Not set_denormal_as_zero: it changes the floating-point mode of the calling thread, and with it JavaScript's own arithmetic.
    extra: {
      session: {
        intra_op: { allow_spinning: spinning ? '1' : '0' },
        // Sessions that are not running must not spin: they would take the core from the one that is.
        force_spinning_stop: '1',
      },
    },
  };
  const [first] = executionProviders;
  const provider = first === undefined ? 'cpu' : nameOf(first);
  const lowering = { ...loweringFor(provider), precise, ...(convolution === undefined ? {} : { convolution }) };
  return { ort, provider, threads, spinning, session, lowering };
}
