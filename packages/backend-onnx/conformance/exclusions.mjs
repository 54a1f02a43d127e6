import { readFile } from 'node:fs/promises';

/**
 * @typedef {{ reason: string, prefixes: string[] }} Exclusion
 * @typedef {{ kernels: Exclusion[], specs: Exclusion[], fallback: { reason: string, kernels: string[] }[], fallbackDtypes: string[] }} Exclusions
 */

/** What is left out and what may use the fallback, from `excluded.json`. @returns {Promise<Exclusions>} */
export async function readExclusions() {
  return JSON.parse(await readFile(new URL('excluded.json', import.meta.url), 'utf8'));
}

/**
 * The exclusion that a spec falls under, if any.
 *
 * @param {Exclusions} exclusions
 * @param {string} name full name of the spec
 */
export function exclusionOf({ kernels, specs }, name) {
  return [...kernels, ...specs].find(({ prefixes }) => prefixes.some((prefix) => name.startsWith(prefix)));
}

/**
 * Kernels that used the fallback and may not: those with a lowering, other than for dtypes that programs do not have,
 * and those that `excluded.json` does not name.
 *
 * @param {Exclusions} exclusions
 * @param {import('../src/index.ts').OnnxBackendStatistics} stats
 * @param {ReadonlySet<string>} lowered
 */
export function forbiddenFallbacks({ fallback, fallbackDtypes }, stats, lowered) {
  const allowed = new Set(fallback.flatMap(({ kernels }) => kernels));
  const unknown = Object.keys(stats.fallback).filter((kernel) => !lowered.has(kernel) && !allowed.has(kernel));
  const declined = Object.entries(stats.declined).flatMap(([kernel, reasons]) =>
    Object.keys(reasons)
      .filter((reason) => !fallbackDtypes.some((dtype) => reason.includes(`for ${dtype} tensors`)))
      .map((reason) => `${kernel}: ${reason}`),
  );
  return [...unknown, ...declined];
}
