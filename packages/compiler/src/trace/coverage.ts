import { BpcError, MissingKernelError } from '@bpc/core';
import { engine, getKernel } from '@tensorflow/tfjs-core';
import { kernels } from './kernels/index.js';
import { COMPOSED_BY_TFJS, untracedKernels } from './kernels/untraced.js';

/** Which of tfjs-core's kernels programs may use. */
export interface KernelCoverage {
  /** Names of the kernels that compiled runtimes have. */
  readonly traced: readonly string[];
  /** The others, each with the reason why not. */
  readonly untraced: Readonly<Record<string, string>>;
  /** Names that no function of tfjs-core runs: it composes these operations from others. */
  readonly composed: readonly string[];
}

/** Kernels of ours, which tfjs-core does not know. */
const OWN = ['Cholesky', 'MaxPoolGather', 'TriangularSolve'];

/**
 * The kernels of tfjs-core 4.22 that programs may use, and those that they may not. `bpc doctor` prints it.
 *
 * @example
 * ```ts
 * import { kernelCoverage } from '@bpc/compiler';
 * console.log(kernelCoverage().traced.length, kernelCoverage().untraced['Multinomial']);
 * ```
 */
export function kernelCoverage(): KernelCoverage {
  const traced = kernels.map(({ kernelName }) => kernelName).filter((name) => !OWN.includes(name));
  return { traced: traced.sort(), untraced: untracedKernels, composed: COMPOSED_BY_TFJS };
}

/** Where else a kernel is: the tfjs backends of this process that have it. */
function elsewhere(kernel: string): string {
  const backends = engine()
    .backendNames()
    .filter((name) => !name.startsWith('bpc-trace') && getKernel(kernel, name) !== undefined);
  return backends.length > 0
    ? `eagerRuntime() of @bpc/core on the tfjs backend ${backends.map((name) => `'${name}'`).join(' or ')} has it`
    : "eagerRuntime() of @bpc/core on a tfjs backend may have it ('@tensorflow/tfjs-backend-cpu' has most)";
}

/** tfjs' plain error for a kernel that a program cannot have, as a typed one; undefined for other errors. */
export function missingKernel(error: unknown, functionName: string, target: string): MissingKernelError | undefined {
  if (error instanceof BpcError || !(error instanceof Error)) return undefined;
  // tfjs reports missing kernels as plain errors; the text is the only way to tell.
  const kernel = /Kernel '(\w+)' not registered for backend 'bpc-trace/.exec(error.message)?.[1];
  if (kernel === undefined) return undefined;
  const reason = untracedKernels[kernel];
  const why = reason === undefined ? '' : `: ${reason}`;
  return new MissingKernelError(
    kernel,
    target,
    `found while tracing '${functionName}'${why}; write it with other operations, or run the function eagerly: ${elsewhere(kernel)}`,
    { cause: error },
  );
}
