import { CheckpointError } from '@bpc/core';
import type { Overrides, RunConfig } from '../config/index.js';

/** What decides a run's numbers, flat: option path to value. */
export type Fingerprint = Readonly<Record<string, unknown>>;

// How many workers share the tasks changes no number, nor does how often state is saved.
const irrelevant = new Set(['workers', 'checkpointEvery']);
// A different runtime or thread count changes the last bits only; `--allow-inexact` accepts that.
const inexact = new Set(['runtime', 'threads', 'environment']);

function flatten(values: Overrides, prefix = ''): [string, unknown][] {
  return Object.entries(values).flatMap(([name, value]): [string, unknown][] => {
    const path = `${prefix}${name}`;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? flatten({ ...value }, `${path}.`) : [[path, value]];
  });
}

/** The fingerprint of a configuration on a runtime; `environment` is what must be equal for bitwise equality. */
export function fingerprint(config: RunConfig, runtime: string, environment: string): Fingerprint {
  const entries = flatten({ ...config, runtime, environment }).filter(([path]) => !irrelevant.has(path));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Paths whose values differ. */
export function differingKeys(a: Fingerprint, b: Fingerprint): string[] {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return keys.filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
}

/** Seeds are learned and scored one by one, so that a run can be continued with more of them; fewer would leave files of others. */
const hasGrown = (stored: Fingerprint, wanted: Fingerprint): boolean => Number(wanted['seeds']) > Number(stored['seeds']);

/** What the folder of a continued run should say from now on: the old record, so that it stays true of what is there, with more seeds. */
export const continued = (stored: Fingerprint, wanted: Fingerprint): Fingerprint =>
  hasGrown(stored, wanted) ? { ...stored, seeds: wanted['seeds'] } : stored;

/**
 * Refuses to continue a run under other settings.
 *
 * @throws CheckpointError naming every differing option with both values.
 */
export function assertSameRun(folder: string, stored: Fingerprint, wanted: Fingerprint, allowInexact: boolean): void {
  const different = differingKeys(continued(stored, wanted), wanted).filter((name) => !(allowInexact && inexact.has(name)));
  if (different.length === 0) return;
  const list = different.map((name) => `${name} (there ${JSON.stringify(stored[name])}, now ${JSON.stringify(wanted[name])})`).join(', ');
  const onlyInexact = different.every((name) => inexact.has(name));
  throw new CheckpointError(
    `${folder} holds a run with other settings: ${list}`,
    onlyInexact
      ? 'use the same runtime and versions, pass --allow-inexact to accept different last bits, or pass another --out'
      : 'repeat the old settings to resume it, pass another --out, or delete the folder',
  );
}
