import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, type Coreset, disposeTree, loadCoreset, type Metadata, saveCoreset } from '@bpc/core';
import { writeAtomically } from '../data/atomic-file.js';
import type { Dataset } from '../data/dataset.js';
import { type HostCoreset, hostCoreset } from '../evaluation/host-coreset.js';
import type { LearningCurve } from '../report/curve.js';

/** What one seed's learning leaves behind. */
export interface LearnedSeed {
  /** Bytes of the published file. */
  readonly bytes: Uint8Array;
  readonly coreset: HostCoreset;
  readonly curve: LearningCurve;
}

/** Where the learned coreset of a seed is, once it is learned. */
export const coresetFile = (folder: string): string => join(folder, 'coreset.safetensors');
/** Where the coreset after a step is kept for the validation curve. */
export const snapshotFile = (folder: string, step: number): string => join(folder, 'snapshots', `step-${step}.safetensors`);
const curveFile = (folder: string) => join(folder, 'curve.json');

/** What a published coreset says about itself: enough to use it without this program. */
export function coresetRecord(dataset: Dataset, labels: 'probabilities' | 'logits', provenance: Metadata): Metadata {
  const { name, classNames, normalisation } = dataset;
  const { scale, mean, std } = normalisation;
  // The matrices of a whitening transform are many times the size of a coreset; its settings and the images say what it is.
  const { whitening } = normalisation;
  const white =
    whitening === undefined ? {} : { whitening: { kind: 'zca', regularisation: whitening.regularisation, divisor: whitening.divisor } };
  return { dataset: name, classNames, labels, normalisation: { scale, mean, std, ...white }, ...provenance };
}

/** Stores the learned coreset of a seed; its presence marks the seed as done. */
export async function writeLearned(folder: string, coreset: Coreset, record: Metadata): Promise<void> {
  const bytes = await saveCoreset(coreset, record);
  await writeAtomically(coresetFile(folder), (handle) => handle.writeFile(bytes));
}

/** Stores the coreset after a step. */
export async function writeSnapshot(folder: string, step: number, coreset: Coreset, record: Metadata): Promise<void> {
  const bytes = await saveCoreset(coreset, { ...record, step });
  await writeAtomically(snapshotFile(folder, step), (handle) => handle.writeFile(bytes));
}

/** Stores the curve so far. */
export async function writeCurve(folder: string, points: LearningCurve['points']): Promise<void> {
  await writeAtomically(curveFile(folder), (handle) => handle.writeFile(JSON.stringify(points)));
}

/** The curve so far; empty if there is none. */
export async function readCurve(folder: string): Promise<LearningCurve['points'][number][]> {
  try {
    const points: unknown = JSON.parse(await readFile(curveFile(folder), 'utf8'));
    return Array.isArray(points) ? points : [];
  } catch {
    return [];
  }
}

const labelsOf = (metadata: Metadata): 'probabilities' | 'logits' => (metadata['labels'] === 'logits' ? 'logits' : 'probabilities');

const remedy = 'use a coreset file learned for this data set';

const kindOf = (channels: number | undefined): string => (channels === 1 ? '1 channel (grayscale)' : `${channels} channels (colour)`);

/** Images of another size, or grayscale ones where colour is expected, say which they are. */
function checkShape([, ...found]: readonly number[], { name, shape }: Pick<Dataset, 'name' | 'shape'>): void {
  if (found.join() === shape.join()) return;
  if (found.length === 3 && found[2] !== shape[2]) {
    throw new CheckpointError(
      `one input has ${kindOf(found[2])}, expected ${kindOf(shape[2])} as images of ${name} have: its shape is [${found}], not [${shape}]`,
      'use a coreset file learned for this data set, or pass --dataset with its own',
    );
  }
  throw new CheckpointError(`one input has shape [${found}], expected [${shape}]`, remedy);
}

/** What makes a coreset of the right shapes useless all the same. */
function checkContents({ y, classes, weights }: HostCoreset, classNames: readonly string[]): void {
  if (weights.length === 0) throw new CheckpointError('the coreset has no points', remedy);
  if (!weights.some((weight) => weight > 0)) throw new CheckpointError("'weights' are all zero, so that the coreset says nothing", remedy);
  for (let point = 0; point < weights.length; point++) {
    const row = y.subarray(point * classes, (point + 1) * classes);
    const total = row.reduce((a, b) => a + b, 0);
    if (row.some((p) => p < 0) || Math.abs(total - 1) > 1e-3) {
      throw new CheckpointError(
        `row ${point} of 'y' is [${Array.from(row.subarray(0, 4), (p) => Number(p.toPrecision(3)))}${classes > 4 ? ', …' : ''}] with sum ${Number(total.toPrecision(4))}, expected probabilities`,
        "store label probabilities that sum to 1, or logits with 'labels': 'logits' in the metadata",
      );
    }
  }
  for (let c = 0; c < classes; c++) {
    if (weights.some((_, point) => (y[point * classes + c] ?? 0) > 0)) continue;
    const name = classNames[c] === undefined || classNames[c] === String(c) ? '' : ` (${classNames[c]})`;
    throw new CheckpointError(
      `no point has label ${c}${name}: column ${c} of 'y' is all zero`,
      'add a point of that class; nothing trained on the others would ever predict it',
    );
  }
}

/**
 * A published coreset for a data set.
 *
 * @throws CheckpointError if the bytes are no coreset, or do not fit the data set's images and classes, or have no point that
 * counts, or labels that are no probabilities, or a class without any point.
 */
export async function readCoreset(
  bytes: Uint8Array,
  dataset: Dataset,
): Promise<{ readonly coreset: HostCoreset; readonly metadata: Metadata }> {
  const { coreset, metadata } = loadCoreset(bytes, { classes: dataset.classes });
  try {
    checkShape(coreset.x.shape, dataset);
    const onHost = await hostCoreset(coreset, labelsOf(metadata));
    checkContents(onHost, dataset.classNames);
    return { coreset: onHost, metadata };
  } finally {
    disposeTree(coreset);
  }
}

/** What a finished seed left, or undefined if it is not finished. @throws CheckpointError if its file is damaged. */
export async function readLearned(folder: string, seed: number, dataset: Dataset): Promise<LearnedSeed | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await readFile(coresetFile(folder)));
  } catch {
    return undefined;
  }
  const { coreset } = await readCoreset(bytes, dataset);
  return { bytes, coreset, curve: { seed, points: await readCurve(folder) } };
}

/**
 * True if a seed is learned; a damaged file is announced and removed, so that the seed is finished again from its checkpoint.
 */
export async function isLearned(folder: string, dataset: Dataset, warn: (message: string) => void): Promise<boolean> {
  try {
    return (await readLearned(folder, 0, dataset)) !== undefined;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    warn(`${coresetFile(folder)} is damaged and is made again: ${error.message}`);
    await rm(coresetFile(folder), { force: true });
    return false;
  }
}
