import { createHash } from 'node:crypto';
import { disposeTree } from '@bpc/core';
import type { RunConfig } from '../config/index.js';
import type { Dataset } from '../data/dataset.js';
import { type HostCoreset, hostCoreset } from '../evaluation/host-coreset.js';
import { initialCoreset, labelKind } from './initial-coreset.js';

/** Rows that are a coreset, in the order of the table. */
export const coresetRows = ['random', 'nearest-mean', 'init', 'learned'] as const;
/** A row that is a coreset. */
export type CoresetRow = (typeof coresetRows)[number];

async function start(
  dataset: Dataset,
  config: RunConfig,
  init: RunConfig['init'],
  seed: number,
  labels: 'probabilities' | 'logits',
): Promise<HostCoreset> {
  const coreset = initialCoreset(dataset, { init, ipc: config.ipc, seed, labels });
  try {
    return await hostCoreset(coreset, labels);
  } finally {
    disposeTree(coreset);
  }
}

/** The coresets of one seed, by row. */
export async function seedCoresets(
  dataset: Dataset,
  config: RunConfig,
  seed: number,
  learned: HostCoreset,
): Promise<Readonly<Record<CoresetRow, HostCoreset>>> {
  return {
    random: await start(dataset, config, 'random', seed, 'probabilities'),
    'nearest-mean': await start(dataset, config, 'nearest-mean', seed, 'probabilities'),
    init: await start(dataset, config, config.init, seed, labelKind(config)),
    learned,
  };
}

/** A name for the contents of a coreset, so that equal ones are scored once per seed. */
export function coresetHash({ x, y, weights }: HostCoreset): string {
  const hash = createHash('sha256');
  for (const part of [x, y, weights]) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return hash.digest('hex').slice(0, 16);
}
