import { ShapeError } from '@bpc/core';
import { decode } from 'jpeg-js';

/** A decoded image: uint8, height × width × 3. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * Decode a JPEG to RGB; a grayscale one gets three equal channels.
 *
 * Chroma is upsampled by repetition, where libjpeg interpolates: at edges of colour single values differ from those of
 * other decoders by tens, on average by about one.
 *
 * @throws ShapeError that names the file if it cannot be decoded.
 */
export function decodeJpeg(bytes: Uint8Array, file: string): Pixels {
  try {
    const { width, height, data } = decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false });
    return { width, height, data };
  } catch (cause) {
    throw new ShapeError(
      `${file} is not a readable JPEG image: ${cause instanceof Error ? cause.message : String(cause)}`,
      'use the original file, complete',
      { cause },
    );
  }
}
