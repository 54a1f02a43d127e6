import { writeAtomically } from '../data/atomic-file.js';
import type { Dataset } from '../data/dataset.js';
import type { HostCoreset } from '../evaluation/host-coreset.js';
import { contactSheet } from '../report/contact-sheet.js';
import type { ReportAssets } from '../report/render-report.js';
import { renderReport } from '../report/render-report.js';
import { type Results, writeResults } from '../report/results.js';
import type { RunFolder } from '../run-folder/index.js';
import type { RowScores } from './collect-scores.js';
import type { LearnedSeed } from './learned-files.js';

interface OutputOptions {
  readonly folder: RunFolder;
  readonly dataset: Dataset;
  readonly results: Results;
  readonly rows: readonly RowScores[];
  readonly seeds: readonly number[];
  readonly learned: readonly LearnedSeed[];
  /** The first seed's coreset before learning. */
  readonly before: HostCoreset;
}

/** Where the results of a run are. */
export interface OutputPaths {
  readonly results: string;
  readonly report: string;
  readonly picture: string;
  readonly coreset: string;
}

/**
 * Writes the files people look for: results, report, picture, and every seed's coreset.
 *
 * `coreset.safetensors` and the pictures are always the first seed's: picking the best seed by its score would flatter the
 * published file. Seed `s` of the others is in `coreset-seed<s>.safetensors`.
 */
export async function writeOutputs(options: OutputOptions): Promise<OutputPaths> {
  const { folder, dataset, results, rows, seeds, learned, before } = options;
  const paths: OutputPaths = {
    results: folder.file('results.json'),
    report: folder.file('report.html'),
    picture: folder.file('coreset.png'),
    coreset: folder.file('coreset.safetensors'),
  };
  const { shape, normalisation } = dataset;
  const sheet = (coreset: HostCoreset) => contactSheet(coreset.x, { shape, normalisation });
  const write = (path: string, content: string | Uint8Array) => writeAtomically(path, (handle) => handle.writeFile(content));
  const [first] = learned;
  const after = first === undefined ? undefined : sheet(first.coreset);
  const assets: ReportAssets = {
    before: sheet(before),
    ...(after === undefined ? {} : { after }),
    curves: learned.map(({ curve }) => curve),
    // Bins of different seeds hold different points; the first seed stands for a row.
    reliability: Object.fromEntries(rows.flatMap(({ name, scores: [score] }) => (score === undefined ? [] : [[name, score.reliability]]))),
  };
  for (const [i, { bytes }] of learned.entries())
    await write(i === 0 ? paths.coreset : folder.file(`coreset-seed${seeds[i] ?? i}.safetensors`), bytes);
  if (after !== undefined) await write(paths.picture, after);
  await write(paths.report, await renderReport(results, assets));
  await writeResults(paths.results, results);
  return paths;
}
