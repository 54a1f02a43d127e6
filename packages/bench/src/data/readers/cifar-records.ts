import { ShapeError } from '@bpc/core';
import type { OpenLayout, Part, Parts } from '../parts.js';

/** How the records of a binary CIFAR file begin. */
export interface RecordLayout {
  /** Bytes before the pixels: 1 for CIFAR-10 (label), 2 for CIFAR-100 (coarse label, fine label). */
  readonly labelBytes: number;
  /** Which of them is the label to learn. */
  readonly labelAt: number;
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
  const labels = files.map((bytes, i) => readByteColumn(bytes, layout.path(roles[i] ?? ''), layout.shape, record));
  const all = new Int32Array(labels.reduce((sum, list) => sum + list.length, 0));
  labels.reduce((start, list) => {
    all.set(list, start);
    return start + list.length;
  }, 0);
  return {
    labels: all,
    async *images() {
      for (const [i, bytes] of files.entries()) yield interleave(bytes, labels[i]?.length ?? 0, layout.shape, record.labelBytes);
    },
  };
}

/** One of the label bytes of every record. */
function readByteColumn(bytes: Uint8Array, path: string, [height, width, channels]: OpenLayout['shape'], record: RecordLayout): Int32Array {
  const length = record.labelBytes + height * width * channels;
  if (bytes.length === 0 || bytes.length % length !== 0) {
    throw new ShapeError(
      `${path} has ${bytes.length} bytes, expected a multiple of ${length}, one record`,
      'use the original file, complete',
    );
  }
  return Int32Array.from({ length: bytes.length / length }, (_, i) => bytes[i * length + record.labelAt] ?? -1);
}

function interleave(bytes: Uint8Array, count: number, [height, width, channels]: OpenLayout['shape'], labelBytes: number): Uint8Array {
  const plane = height * width;
  const size = plane * channels;
  const out = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < channels; c++) {
      const from = i * (labelBytes + size) + labelBytes + c * plane;
      for (let p = 0; p < plane; p++) out[i * size + p * channels + c] = bytes[from + p] ?? 0;
    }
  }
  return out;
}
