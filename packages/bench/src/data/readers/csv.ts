import { parseCsvTable } from '../csv-table.js';
import { heldPart, type OpenLayout, type Parts } from '../parts.js';

/** One comma-separated `table`: the pixels of an image and its class per line. */
export async function readCsvSet(layout: OpenLayout): Promise<Parts> {
  const bytes = await layout.read('table');
  const { images, labels } = parseCsvTable(
    new TextDecoder().decode(bytes),
    layout.path('table'),
    layout.shape[0] * layout.shape[1] * layout.shape[2],
  );
  return { train: heldPart(images, labels) };
}
