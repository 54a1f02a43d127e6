import { ConfigError, ShapeError } from '@bpc/core';
import type { Zca } from './whitening/zca.js';

/** What a split may be used for: learning (`train`), selection (`validation`), one final score (`test`). */
export type SplitRole = 'train' | 'validation' | 'test';

/** Height, width and channels of one image. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/**
 * One split of a data set; splits of different roles are different types.
 *
 * Write learning and selection functions against `TrainSplit` and `ValidationSplit`: passing the test split to them is
 * then a compile-time error.
 *
 * `images` uint8, NHWC, `count · height · width · channels` long; `labels` int32 class indices, `count` long. Both may
 * stand on a `SharedArrayBuffer` (option `shared` of `getDataset`), so treat them as read-only.
 */
export interface Split<Role extends SplitRole> {
  readonly role: Role;
  readonly count: number;
  readonly shape: ImageShape;
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  /** Whitened images as far as they have been asked for; only where the data set is whitened and keeps them. */
  readonly whitened?: WhitenedValues;
}

/** Whitened images, filled in as they are asked for, by any thread. */
export interface WhitenedValues {
  /** `[count, height, width, channels]`. */
  readonly values: Float32Array;
  /** 1 for every image that is there. */
  readonly done: Uint8Array;
}

/** Points to learn from. */
export type TrainSplit = Split<'train'>;
/** Points to choose settings and steps with; never learned from. */
export type ValidationSplit = Split<'validation'>;
/** Points for the one final score; learning and selection functions do not accept it. */
export type TestSplit = Split<'test'>;

/**
 * How stored bytes become network inputs: `x = (u / scale − mean) / std`, per channel.
 *
 * `scale` is the largest byte value (255; 16 for `digits`), so `mean` and `std` are in units of full intensity.
 */
export interface Normalisation {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Applied to the normalised image as a whole: `x ↦ (x − m) W`. */
  readonly whitening?: Zca;
}

/** A classification data set of images, as `getDataset` returns it. */
export interface Dataset {
  readonly name: string;
  readonly shape: ImageShape;
  readonly classes: number;
  readonly classNames: readonly string[];
  readonly train: TrainSplit;
  readonly validation: ValidationSplit;
  readonly test: TestSplit;
  readonly normalisation: Normalisation;
}

/** All points of one file or table, before they are divided into splits. */
export interface Points {
  readonly images: Uint8Array;
  readonly labels: Uint8Array | Int32Array;
}

/**
 * Copy the points at `indices` into a split.
 *
 * @param options - `shared` puts images and labels on `SharedArrayBuffer`s, so that worker threads can read them without a copy.
 * @throws ShapeError if images and labels disagree in number; ConfigError if an index is outside the points or a label
 * outside `0 … classes − 1`.
 */
export function makeSplit<Role extends SplitRole>(
  role: Role,
  points: Points,
  options: { readonly shape: ImageShape; readonly classes: number; readonly indices: ArrayLike<number>; readonly shared?: boolean },
): Split<Role> {
  const { shape, classes, indices, shared = false } = options;
  const size = shape[0] * shape[1] * shape[2];
  const available = points.labels.length;
  if (points.images.length !== available * size) {
    throw new ShapeError(
      `${role} has ${points.images.length} image bytes for ${available} labels, expected ${available} × ${size}`,
      'pass images and labels of the same points',
    );
  }
  const count = indices.length;
  const images = new Uint8Array(shared ? new SharedArrayBuffer(count * size) : new ArrayBuffer(count * size));
  const labels = new Int32Array(shared ? new SharedArrayBuffer(count * 4) : new ArrayBuffer(count * 4));
  for (let i = 0; i < count; i++) {
    const index = indices[i] ?? -1;
    const label = points.labels[index];
    if (label === undefined) {
      throw new ConfigError(`index ${index} of ${role} is outside the ${available} points`, 'use the index list made for these files');
    }
    if (label < 0 || label >= classes) {
      throw new ConfigError(
        `label ${label} of point ${index} (${role}) is outside the classes 0 … ${classes - 1}`,
        'check that the label file belongs to this data set',
      );
    }
    images.set(points.images.subarray(index * size, (index + 1) * size), i * size);
    labels[i] = label;
  }
  return { role, count, shape, images, labels };
}
