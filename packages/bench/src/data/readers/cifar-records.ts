import { ShapeError } from '@bpc/core';
import type { OpenLayout, Part, Parts } from '../parts.js';

/** How the records of a binary CIFAR file begin. */
export interface RecordLayout {
  /** Bytes before the pixels: 1 for CIFAR-10 (label), 2 for CIFAR-100 (coarse label, fine label). */
  readonly labelBytes: number;
  /** Which of them is the label to learn. */
  readonly labelAt: number;
  /** Which of them validation points are balanced over. Default: the label to learn. */
  readonly strataAt?: number;
}

/**
 * The binary version of CIFAR: records of label bytes and `height · width · 3` pixels, one colour plane after the other.
 *
 * Files `train…` (in the order of the manifest) and `test…`. Planes are interleaved to NHWC file by file.
 *
 * Source: A. Krizhevsky, "Learning multiple layers of features from tiny images" (2009), data set page.
 *
 * @throws ShapeError if a file is not a whole number of records.
 */
export async function readCifarRecords(layout: OpenLayout, record: RecordLayout): Promise<Parts> {
  return {
    train: await part(
      layout,
      layout.roles.filter((role) => role.startsWith('train')),
      record,
    ),
    test: await part(
      layout,
      layout.roles.filter((role) => role.startsWith('test')),
      record,
    ),
  };
}

async function part(layout: OpenLayout, roles: readonly string[], record: RecordLayout): Promise<Part> {
  const files: Uint8Array[] = [];
  for (const role of roles) files.push(await layout.read(role));
  const column = (at: number): Int32Array =>
    concatenate(files.map((bytes, i) => readByteColumn(bytes, layout.path(roles[i] ?? ''), layout.shape, record.labelBytes, at)));
  const { labelAt, strataAt = labelAt, labelBytes } = record;
  return {
    labels: column(labelAt),
    strata: column(strataAt),
    async *images() {
      for (const bytes of files) yield interleave(bytes, layout.shape, labelBytes);
    },
  };
}

function concatenate(lists: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let start = 0;
  for (const list of lists) {
    all.set(list, start);
    start += list.length;
  }
  return all;
}

/** One of the label bytes of every record. */
function readByteColumn(
  bytes: Uint8Array,
  path: string,
  [height, width, channels]: OpenLayout['shape'],
  labelBytes: number,
  at: number,
): Int32Array {
  const length = labelBytes + height * width * channels;
  if (bytes.length === 0 || bytes.length % length !== 0) {
    throw new ShapeError(
      `${path} has ${bytes.length} bytes, expected a multiple of ${length}, one record`,
      'use the original file, complete',
    );
  }
  return Int32Array.from({ length: bytes.length / length }, (_, i) => bytes[i * length + at] ?? -1);
}

function interleave(bytes: Uint8Array, [height, width, channels]: OpenLayout['shape'], labelBytes: number): Uint8Array {
  const plane = height * width;
  const size = plane * channels;
  const count = bytes.length / (labelBytes + size);
  const out = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < channels; c++) {
      const from = i * (labelBytes + size) + labelBytes + c * plane;
      for (let p = 0; p < plane; p++) out[i * size + p * channels + c] = bytes[from + p] ?? 0;
    }
  }
  return out;
}
