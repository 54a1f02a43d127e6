/** Values ONNX Runtime tensors hold here. */
export type OrtData = Float32Array | Int32Array | Uint8Array;

/** The part of an `onnxruntime-common` tensor that this package uses. */
export interface OrtTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
  dispose?(): void;
}

/** The part of an `onnxruntime-common` inference session that this package uses. */
export interface OrtSession {
  run(
    feeds: { readonly [name: string]: OrtTensor },
    fetches: { readonly [name: string]: OrtTensor } | readonly string[],
  ): Promise<{ readonly [name: string]: OrtTensor }>;
  release(): Promise<void>;
}

/** An execution provider: its name, or its name with provider options. */
export type ExecutionProvider = string | { readonly name: string };

/** Session options that this package sets; the names are ONNX Runtime's. */
export interface OrtSessionOptions {
  executionProviders: readonly ExecutionProvider[];
  graphOptimizationLevel: 'disabled' | 'basic' | 'extended' | 'all';
  logSeverityLevel: 0 | 1 | 2 | 3 | 4;
  interOpNumThreads: number;
  intraOpNumThreads?: number;
  enableCpuMemArena: boolean;
  enableMemPattern: boolean;
  enableProfiling?: boolean;
  profileFilePrefix?: string;
  extra: Record<string, unknown>;
}

/** The part of ONNX Runtime's settings for the whole process that this package reads or sets. */
export interface OrtEnvironment {
  readonly versions: { readonly common?: string; readonly node?: string; readonly web?: string };
  logLevel?: 'verbose' | 'info' | 'warning' | 'error' | 'fatal';
  readonly wasm?: { numThreads?: number };
  /** A `GPUAdapter`, whose type only browsers' libraries have. */
  readonly webgpu?: { readonly adapter?: object };
}

/** What a browser tells of a GPU. */
export interface OrtAdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
}

/**
 * An ONNX Runtime module: `import * as ort from 'onnxruntime-node'`, `'onnxruntime-web'`, …
 *
 * Structural, so that no version of ONNX Runtime is a dependency of this package.
 */
export interface OrtModule {
  readonly InferenceSession: { create(model: Uint8Array, options: OrtSessionOptions): Promise<object> };
  readonly Tensor: {
    new (type: 'float32', data: Float32Array, dims: readonly number[]): OrtTensor;
    new (type: 'int32', data: Int32Array, dims: readonly number[]): OrtTensor;
    new (type: 'bool', data: Uint8Array, dims: readonly number[]): OrtTensor;
  };
  readonly env: OrtEnvironment;
  /** Only `onnxruntime-node` has it. */
  listSupportedBackends?(): readonly { readonly name: string; readonly bundled?: boolean }[];
}
