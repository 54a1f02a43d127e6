import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@bpc/core';
import type { Target } from '@bpc/samplers';
import { type ReferencePosteriorName, type ReferenceQuantity, referencePosteriors, referenceQuantities } from '@bpc/samplers/testing';

/** A posterior with what is known of it. */
export interface StoredPosterior {
  readonly target: Target;
  readonly reference: readonly ReferenceQuantity[];
}

function readJson(folder: string, name: string, file: string): Readonly<Record<string, unknown>> {
  const path = join(folder, name, file);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new ConfigError(`${path} cannot be read`, 'run in a clone of the repository, or pass --posteriordb FOLDER', { cause });
  }
}

/**
 * Data, model and reference of a posterior.
 *
 * @throws ConfigError if the folder does not have them.
 */
export function storedPosterior(folder: string, name: ReferencePosteriorName): StoredPosterior {
  return {
    target: referencePosteriors[name](readJson(folder, name, 'data.json')),
    reference: referenceQuantities(readJson(folder, name, 'reference.json')['summary']),
  };
}
