import { createHash } from 'node:crypto';
import { disposeTree } from '@bpc/core';
import type { RunConfig } from '../config/index.js';
import type { Dataset } from '../data/dataset.js';
import { type HostCoreset, hostCoreset } from '../evaluation/host-coreset.js';
import { startWeight } from '../methods/traits.js';
import { initialCoreset, labelKind } from './initial-coreset.js';

/** Rows that are a coreset from the beginning, in the order of the table. */
export const startRows = ['random', 'nearest-mean', 'init'] as const;
/** A row whose coreset needs no learning. */
export type StartRow = (typeof startRows)[number];

async function start(
  dataset: Dataset,
  config: RunConfig,
  init: RunConfig['init'],
  seed: number,
  labels: 'probabilities' | 'logits',
): Promise<HostCoreset> {
  // Controls weigh what the method's own start weighs: how much the points count is no part of a comparison.
  const coreset = initialCoreset(dataset, { init, ipc: config.ipc, seed, labels, weight: startWeight(config, dataset) });
  try {
    return await hostCoreset(coreset, labels);
  } finally {
    disposeTree(coreset);
  }
}

/** The coresets that one seed is compared with, by row. */
export async function startCoresets(dataset: Dataset, config: RunConfig, seed: number): Promise<Readonly<Record<StartRow, HostCoreset>>> {
  return {
    random: await start(dataset, config, 'random', seed, 'probabilities'),
    'nearest-mean': await start(dataset, config, 'nearest-mean', seed, 'probabilities'),
    init: await start(dataset, config, config.init, seed, labelKind(config)),
  };
}

/** A name for the contents of a coreset, so that equal ones are scored once per seed. */
export function coresetHash({ x, y, weights }: HostCoreset): string {
  const hash = createHash('sha256');
  for (const part of [x, y, weights]) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return hash.digest('hex').slice(0, 16);
}
