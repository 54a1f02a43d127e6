import { ShapeError } from '@bpc/core';
import { decode } from 'fast-png';
import type { OpenLayout, Part, Parts } from '../parts.js';

/**
 * CIFAR-10 as PNG strips: `train1 … trainN` and `test`, one row of pixels per image, and the labels as JSON arrays.
 *
 * Row `i` holds image `i`, its pixels row by row with red, green and blue interleaved, so a decoded strip is NHWC as it
 * stands. Only one strip is decoded at a time.
 *
 * @throws ShapeError naming the file if a strip has another width or depth, or cannot be decoded, or the labels are no
 * JSON array of integers.
 */
export async function readPngStrips(layout: OpenLayout): Promise<Parts> {
  const strips = layout.roles.filter((role) => role.startsWith('train') && role !== 'trainLabels');
  return {
    train: await part(layout, strips, 'trainLabels'),
    test: await part(layout, ['test'], 'testLabels'),
  };
}

async function part(layout: OpenLayout, strips: readonly string[], labelRole: string): Promise<Part> {
  const labels = parseLabels(await layout.read(labelRole), layout.path(labelRole));
  return {
    labels,
    async *images() {
      for (const role of strips) yield decodeStrip(await layout.read(role), layout.path(role), layout.shape);
    },
  };
}

function decodeStrip(bytes: Uint8Array, path: string, [height, width, channels]: OpenLayout['shape']): Uint8Array {
  const remedy = 'use the original file of this data set';
  let strip: ReturnType<typeof decode>;
  try {
    strip = decode(bytes, { checkCrc: true });
  } catch (cause) {
    throw new ShapeError(`${path} is not a readable PNG file: ${cause instanceof Error ? cause.message : String(cause)}`, remedy, {
      cause,
    });
  }
  const { data } = strip;
  if (strip.width !== height * width || strip.channels !== channels || !(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    throw new ShapeError(
      `${path} is ${strip.width} pixels wide with ${strip.channels} channels of ${strip.depth} bit, expected ${height * width} pixels, ${channels} channels, 8 bit`,
      remedy,
    );
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function parseLabels(bytes: Uint8Array, path: string): Int32Array {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ShapeError(`${path} is not JSON`, 'use the original label file', { cause });
  }
  if (!Array.isArray(value) || !value.every((label): label is number => Number.isInteger(label))) {
    throw new ShapeError(`${path} is not an array of integers`, 'use the original label file');
  }
  return Int32Array.from(value);
}
