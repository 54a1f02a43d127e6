import { ShapeError } from '@bpc/core';
import type { Points } from './dataset.js';

/**
 * Read a comma-separated table of small integers: `columns` pixel values, then the class, one line per point.
 *
 * @param file - name used in messages.
 * @throws ShapeError on a line of the wrong length or a value that is not an integer in `0 … 255`.
 */
export function parseCsvTable(text: string, file: string, columns: number): Points {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const images = new Uint8Array(lines.length * columns);
  const labels = new Int32Array(lines.length);
  lines.forEach((line, row) => {
    const values = line.split(',').map(Number);
    const bad = values.find((value) => !Number.isInteger(value) || value < 0 || value > 255);
    if (values.length !== columns + 1 || bad !== undefined) {
      const found = bad === undefined ? `${values.length} columns` : `the value ${bad}`;
      throw new ShapeError(
        `line ${row + 1} of ${file} has ${found}, expected ${columns} pixels and a class, all integers in 0 … 255`,
        'pass the complete, unchanged table',
      );
    }
    images.set(values.slice(0, columns), row * columns);
    labels[row] = values[columns] ?? -1;
  });
  return { images, labels };
}
