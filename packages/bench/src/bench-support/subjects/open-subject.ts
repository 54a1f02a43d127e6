import { ensureHostBackend, type Runtime } from '@bpc/core';
import { openRuntime, packageOf } from '../../runtime-choice/open-runtime.js';
import { packageVersion } from '../../runtime-choice/optional-package.js';
import { parseRuntimeName } from '../../runtime-choice/runtime-name.js';

/** A runtime with the version of its engine. */
export interface OpenedSubject {
  readonly runtime: Runtime;
  readonly version: string | undefined;
}

/** Opens the runtime that a subject is named after. */
export async function openSubject(subject: string, threads: number): Promise<OpenedSubject> {
  const name = parseRuntimeName(subject);
  if (name.family !== 'tfjs') ensureHostBackend();
  return { runtime: await openRuntime({ name, threads }), version: packageVersion(packageOf(name) ?? '@bpc/compiler') };
}
