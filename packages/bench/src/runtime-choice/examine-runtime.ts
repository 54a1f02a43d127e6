import { ConfigError, disposeTree, ensureHostBackend, key, MissingKernelError, type Runtime } from '@bpc/core';
import { plainMessage } from '@bpc/core/node';
import { tensor } from '@tensorflow/tfjs-core';
import { oneHot } from '../experts/batches.js';
import { buildNetwork } from '../experts/network.js';
import { trainingProgram } from '../experts/training-program.js';
import { lackingKernels } from './lacking-kernels.js';
import { openRuntime, packageOf } from './open-runtime.js';
import { type ImportModule, packageVersion } from './optional-package.js';
import { parseRuntimeName } from './runtime-name.js';

/** What `bpc doctor` says about a runtime. */
export interface RuntimeReport {
  readonly name: string;
  /** `ok`; `incomplete` if a kernel is missing; `absent` if its package is not installed or does not start. */
  readonly state: 'ok' | 'incomplete' | 'absent';
  /** Package and version, or why it is not usable. */
  readonly detail: string;
  /** Kernels that a ConvNet training step needs and this runtime lacks (the first one found). */
  readonly missingKernels: readonly string[];
  /** Kernels of tfjs-core that this runtime lacks, needed here or not. */
  readonly lackingKernels: readonly string[];
  /** Provider, threads and versions as the runtime itself tells them. */
  readonly description: Readonly<Record<string, string | number | boolean>>;
}

/** Compiles and runs a training step of a small ConvNet. */
async function missingKernels(runtime: Runtime): Promise<string[]> {
  const network = buildNetwork({ network: 'convnet', width: 4, depth: 2, inputShape: [8, 8, 1], classes: 2 });
  const settings = { epochs: 1, batch: 2, learningRate: 0.1, momentum: 0.9, weightDecay: 0.1, decay: 'constant', augment: 'none' } as const;
  const program = trainingProgram({ network, runtime, settings, totalSteps: 1 });
  const params = network.init(key(0));
  const state = program.initState(params);
  const batch = { x: tensor(new Float32Array(128), [2, 8, 8, 1]), y: tensor(oneHot([0, 1], 2), [2, 2]) };
  try {
    disposeTree(await program.step(params, state, [batch]));
    return [];
  } catch (error) {
    if (error instanceof MissingKernelError) return [error.kernel];
    throw error;
  } finally {
    disposeTree([params, state, batch]);
    await program.dispose();
  }
}

/** Opens a runtime, tries it, and closes it again; never throws for what is wrong with the runtime. */
export async function examineRuntime(written: string, load?: ImportModule): Promise<RuntimeReport> {
  const name = parseRuntimeName(written);
  const needed = packageOf(name);
  const report = { name: written, missingKernels: [], lackingKernels: [], description: {} };
  ensureHostBackend();
  let runtime: Runtime;
  try {
    runtime = await openRuntime({ name, threads: 1, ...(load === undefined ? {} : { load }) });
  } catch (error) {
    return { ...report, state: 'absent', detail: error instanceof Error ? plainFirstLine(error) : String(error) };
  }
  const version = needed === undefined ? 'built in' : `${needed} ${packageVersion(needed) ?? ''}`.trim();
  try {
    const missing = await missingKernels(runtime);
    return {
      ...report,
      state: missing.length === 0 ? 'ok' : 'incomplete',
      detail: version,
      missingKernels: missing,
      lackingKernels: lackingKernels(name),
      description: runtime.describe(),
    };
  } catch (error) {
    // Some engines only find out when they start that a device is not there.
    return { ...report, state: 'absent', detail: error instanceof Error ? plainFirstLine(error) : String(error) };
  } finally {
    await runtime.dispose();
  }
}

function plainFirstLine(error: Error): string {
  return (error instanceof ConfigError ? plainMessage(error) : error.message).split('\n')[0] ?? '';
}
