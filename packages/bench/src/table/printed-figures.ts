import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { embeddedFile } from '../data/manifest.js';
import type { PrintedFigure } from './table-results.js';

const schema = z.strictObject({
  sources: z.record(z.string(), z.string()),
  figures: z.array(
    z.strictObject({
      source: z.string(),
      dataset: z.string(),
      ipc: z.int().positive(),
      row: z.string(),
      column: z.string(),
      accuracy: z.string(),
      nll: z.string().optional(),
    }),
  ),
});

let shipped: z.infer<typeof schema> | undefined;

function figures(): z.infer<typeof schema> {
  shipped ??= schema.parse(JSON.parse(readFileSync(embeddedFile('printed-figures.json'), 'utf8')));
  return shipped;
}

/**
 * What papers print for a row, exactly as printed: per cent, and NLL where there is one.
 *
 * None was reproduced here, and evaluations differ: networks, budgets, metrics (see `sources` in the file).
 */
export function printedFigures(dataset: string, ipc: number, row: string): PrintedFigure[] {
  const { sources, figures: all } = figures();
  return all
    .filter((figure) => figure.dataset === dataset && figure.ipc === ipc && figure.row === row)
    .map(({ column, accuracy, nll, source }) => ({
      column,
      accuracy,
      ...(nll === undefined ? {} : { nll }),
      source: sources[source] ?? source,
    }));
}
