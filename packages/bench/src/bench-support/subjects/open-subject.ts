import { onnxRuntime } from '@bpc/backend-onnx';
import { ensureHostBackend, type Runtime } from '@bpc/core';
import { openRuntime, packageOf } from '../../runtime-choice/open-runtime.js';
import { importOptional, packageVersion } from '../../runtime-choice/optional-package.js';
import { parseRuntimeName } from '../../runtime-choice/runtime-name.js';
import { preciseSubject } from '../cd-step/options.js';

/** A runtime with the version of its engine. */
export interface OpenedSubject {
  readonly runtime: Runtime;
  readonly version: string | undefined;
}

/** ONNX Runtime without Winograd: slower, with smaller errors. */
async function openPrecise(threads: number): Promise<OpenedSubject> {
  ensureHostBackend();
  const ort = (await importOptional('onnxruntime-node', preciseSubject)) as Parameters<typeof onnxRuntime>[0]['ort'];
  return { runtime: await onnxRuntime({ ort, threads, precise: true }), version: packageVersion('onnxruntime-node') };
}

/** Opens the runtime that a subject is named after. */
export async function openSubject(subject: string, threads: number): Promise<OpenedSubject> {
  if (subject === preciseSubject) return openPrecise(threads);
  const name = parseRuntimeName(subject);
  if (name.family !== 'tfjs') ensureHostBackend();
  return { runtime: await openRuntime({ name, threads }), version: packageVersion(packageOf(name) ?? '@bpc/compiler') };
}
