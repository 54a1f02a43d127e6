import { ConfigError, ShapeError } from '@bpc/core';
import type { ImageShape, Split, SplitRole } from './dataset.js';
import { type DividedTraining, type Division, divideTraining } from './division.js';
import { throwIfAborted } from './download.js';
import { remainingIndices } from './draw-indices.js';
import type { Part, Parts } from './parts.js';

/** Progress of reading and decoding images. */
export interface ReadProgress {
  readonly dataset: string;
  readonly images: number;
  readonly total: number;
}

/** What `assemble` needs to know of a data set. */
export interface AssembleOptions {
  readonly name: string;
  readonly shape: ImageShape;
  readonly classes: number;
  readonly classNames: readonly string[];
  readonly division: Division;
  /** How many points every split must have. */
  readonly counts: Readonly<Record<SplitRole, number>>;
  readonly shared: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onRead?: ((progress: ReadProgress) => void) | undefined;
}

/** The three splits of a data set. */
export interface Splits {
  readonly train: Split<'train'>;
  readonly validation: Split<'validation'>;
  readonly test: Split<'test'>;
}

interface OpenSplit<Role extends SplitRole> extends Split<Role> {
  readonly role: Role;
}

/**
 * Put the images of all parts into splits, each image straight into its place.
 *
 * Images are taken from a part some at a time, so that beside the splits themselves only the piece being copied is held.
 *
 * @throws ConfigError if a label is outside the classes, or a class has no training image; ShapeError if a split has not
 * the number of points it should have, or a part another number of images than labels; InterruptedError when aborted.
 */
export async function assemble(parts: Parts, options: AssembleOptions): Promise<Splits> {
  const { name, classes, division, counts } = options;
  checkLabels(parts.train, 'train', options);
  const { labels, strata = labels } = parts.train;
  const strataCount = strata === labels ? classes : Math.max(...Array.from(strata)) + 1;
  const divided = divideTraining(division, strata, strataCount, name);
  const own = { validation: whole(parts.validation), test: whole(parts.test) };
  const splits = {
    train: openSplit('train', divided.train.length, options),
    validation: openSplit('validation', own.validation?.length ?? divided.validation.length, options),
    test: openSplit('test', own.test?.length ?? divided.test?.length ?? 0, options),
  };
  for (const role of ['train', 'validation', 'test'] as const) {
    if (splits[role].count === counts[role]) continue;
    throw new ShapeError(
      `${name} has ${splits[role].count} ${role} images in these files, expected ${counts[role]}`,
      'use the complete files; a subset goes by its own name',
    );
  }
  checkClasses(divided.train, parts.train.labels, options);
  const total = splits.train.count + splits.validation.count + splits.test.count;
  let images = 0;
  const advance = (count: number): void => {
    images += count;
    options.onRead?.({ dataset: name, images, total });
  };
  await fill(parts.train, 'train', places(divided, splits, labels.length), options, advance);
  for (const role of ['validation', 'test'] as const) {
    const part = parts[role];
    if (part === undefined) continue;
    checkLabels(part, role, options);
    const split = splits[role];
    await fill(part, role, (index) => ({ split, position: index }), options, advance);
  }
  return splits;
}

type PlaceOf = (index: number) => { readonly split: OpenSplit<SplitRole>; readonly position: number };

const whole = (part: Part | undefined): readonly number[] | undefined =>
  part === undefined ? undefined : remainingIndices(part.labels.length);

/** The split and position of every point of the training files. */
function places(divided: DividedTraining, splits: Splits, count: number): PlaceOf {
  const owner = new Uint8Array(count);
  const position = new Int32Array(count);
  const order = [splits.train, splits.validation, splits.test] as const;
  for (const [i, indices] of [divided.train, divided.validation, divided.test ?? []].entries()) {
    for (let p = 0; p < indices.length; p++) {
      owner[indices[p] ?? 0] = i;
      position[indices[p] ?? 0] = p;
    }
  }
  return (index) => ({ split: order[owner[index] ?? 0] ?? splits.train, position: position[index] ?? 0 });
}

function openSplit<Role extends SplitRole>(role: Role, count: number, { shape, shared }: AssembleOptions): OpenSplit<Role> {
  const size = shape[0] * shape[1] * shape[2];
  const images = new Uint8Array(shared ? new SharedArrayBuffer(count * size) : new ArrayBuffer(count * size));
  const labels = new Int32Array(shared ? new SharedArrayBuffer(count * 4) : new ArrayBuffer(count * 4));
  return { role, count, shape, images, labels };
}

async function fill(
  { labels, images }: Part,
  role: SplitRole,
  placeOf: PlaceOf,
  { name, shape, signal }: AssembleOptions,
  advance: (count: number) => void,
): Promise<void> {
  const size = shape[0] * shape[1] * shape[2];
  let done = 0;
  const wrong = (bytes: number): ShapeError =>
    new ShapeError(
      `${role} of ${name} has ${bytes} image bytes for ${labels.length} labels, expected ${labels.length} × ${size}`,
      'pass images and labels of the same points',
    );
  for await (const piece of images()) {
    throwIfAborted(signal, name);
    const count = piece.length / size;
    if (!Number.isInteger(count) || done + count > labels.length) throw wrong(done * size + piece.length);
    for (let i = 0; i < count; i++) {
      const { split, position } = placeOf(done + i);
      split.images.set(piece.subarray(i * size, (i + 1) * size), position * size);
      split.labels[position] = labels[done + i] ?? -1;
    }
    done += count;
    advance(count);
  }
  if (done !== labels.length) throw wrong(done * size);
}

function checkLabels({ labels }: Part, role: SplitRole, { classes, name }: AssembleOptions): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? -1;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new ConfigError(
      `label ${label} of point ${i} (${role}) of ${name} is outside the classes 0 … ${classes - 1}`,
      'check that the label file belongs to this data set',
    );
  }
}

function checkClasses(train: ArrayLike<number>, labels: ArrayLike<number>, { classes, classNames, name }: AssembleOptions): void {
  const seen = new Uint8Array(classes);
  for (let i = 0; i < train.length; i++) seen[labels[train[i] ?? 0] ?? 0] = 1;
  const missing = seen.indexOf(0);
  if (missing < 0) return;
  throw new ConfigError(
    `class ${missing} ('${classNames[missing] ?? missing}') of ${name} has no training image`,
    'use files that have images of every class, or a data set with fewer classes',
  );
}
