import type { ManifestLayout } from '../manifest.js';
import type { OpenLayout, Parts } from '../parts.js';
import { readCifarRecords } from './cifar-records.js';
import { readCsvSet } from './csv.js';
import { readIdxSet } from './idx.js';
import { readPngStrips } from './png-strips.js';

/** Read the files of a layout with the reader of its format. */
export function readLayout(format: ManifestLayout['format'], layout: OpenLayout): Promise<Parts> {
  switch (format) {
    case 'idx':
      return readIdxSet(layout);
    case 'csv':
      return readCsvSet(layout);
    case 'png-strips':
      return readPngStrips(layout);
    case 'cifar-records':
      return readCifarRecords(layout, { labelBytes: 1, labelAt: 0 });
  }
}
