/** What the lowering must know about the kernels that will run the graph. Choices change speed, never results. */
export interface LoweringOptions {
  /**
   * How 3×3 convolutions of stride 1, and those of few channels, are written: `winograd` as matrix products that share
   * their transforms, `direct` as ONNX `Conv` and `ConvTranspose`, for kernels that tile for the hardware themselves.
   */
  readonly convolution: 'winograd' | 'direct';
  /** Whether convolutions are plain sums of products: no Winograd, whose transforms round more. */
  readonly precise: boolean;
  /** Whether `FusedMatMul` has a kernel. Without one it would run on the host, with copies both ways. */
  readonly fusedMatMul: boolean;
  /** Whether `IsNaN`, `Or` and `Sum` of several have kernels, for the same reason. */
  readonly rareKernels: boolean;
  /** Whether `Conv` is the WebGPU kernel, whose mistakes the lowering avoids. */
  readonly webgpuConv: boolean;
  /** Whether `HardSigmoid` has a kernel, and one faster than a comparison and a cast. */
  readonly ramp: boolean;
}

/** ONNX Runtime's CPU kernels, natively or as WebAssembly. */
export const HOST_LOWERING: LoweringOptions = {
  convolution: 'winograd',
  precise: false,
  fusedMatMul: true,
  rareKernels: true,
  webgpuConv: false,
  ramp: true,
};

const HOST: ReadonlySet<string> = new Set(['cpu', 'wasm', 'xnnpack']);
// CUDA's product takes transposed operands; the other devices' do not, or are not known to.
const FUSING: ReadonlySet<string> = new Set([...HOST, 'cuda']);

/** The lowering that fits an execution provider. */
export function loweringFor(provider: string): LoweringOptions {
  const host = HOST.has(provider);
  return {
    convolution: host ? 'winograd' : 'direct',
    precise: false,
    fusedMatMul: FUSING.has(provider),
    rareKernels: provider !== 'webgpu',
    webgpuConv: provider === 'webgpu',
    ramp: host,
  };
}
