import { relative } from 'node:path';
import { originText, presetOrigin } from '../config/index.js';
import type { Score } from '../evaluation/score.js';
import type { RunFolder } from '../run-folder/index.js';
import type { Cell, Cells } from './cells.js';
import type { Failure } from './failure.js';
import type { ScoreSource } from './jobs.js';
import { printedFigures } from './printed-figures.js';
import { type CellResult, summaryOf } from './table-results.js';

type Folder = Pick<RunFolder, 'readPiece' | 'path'>;

interface CollectOptions {
  readonly cells: Cells;
  readonly sources: ReadonlyMap<string, readonly ScoreSource[]>;
  readonly failures: ReadonlyMap<string, Failure>;
  readonly folder: Folder;
  /** Whether papers' figures stand beside ours. */
  readonly printed: boolean;
}

const badFigure = (seeds: CellResult['seeds']): Failure | undefined => {
  for (const { seed, metrics } of seeds) {
    const bad = Object.entries(metrics).find(([, value]) => !Number.isFinite(value));
    if (bad !== undefined) return { message: `${bad[0]} of seed ${seed} is ${String(bad[1])}` };
  }
  return undefined;
};

function figures(seeds: CellResult['seeds']): CellResult['metrics'] {
  const names = Object.keys(seeds[0]?.metrics ?? {}).filter((name) => seeds.every(({ metrics }) => metrics[name] !== undefined));
  return Object.fromEntries(names.map((name) => [name, summaryOf(seeds.map(({ metrics }) => metrics[name] ?? Number.NaN))]));
}

function collectCell(cell: Cell, { sources, failures, folder, printed }: CollectOptions): CellResult {
  const { id, dataset, ipc, row, kind, ownInit, source, config } = cell;
  let inference: string | undefined;
  const seeds = (sources.get(id) ?? []).flatMap(({ seed, job, coreset }) => {
    const score = folder.readPiece<Score>(job);
    if (score === undefined) return [];
    inference ??= score.inference;
    return [{ seed, metrics: { ...score.metrics }, ...(coreset === undefined ? {} : { coreset: relative(folder.path, coreset) }) }];
  });
  const learned = source.kind === 'learned' ? { preset: `${config.preset}: ${originText[presetOrigin(config.preset, dataset, ipc)]}` } : {};
  const failure = badFigure(seeds) ?? failures.get(id);
  const common = {
    ...{ id, dataset, ipc, row, kind },
    ...(inference === undefined ? {} : { inference }),
    ...(ownInit === undefined ? {} : { ownInit }),
    ...learned,
    printed: printed ? printedFigures(dataset, ipc, row) : [],
  };
  // A row of the seeds that happened to succeed would be a better row than the method deserves.
  if (failure !== undefined) return { ...common, status: 'failed', failure, seeds: [], metrics: {} };
  return { ...common, status: seeds.length === cell.seeds.length ? 'done' : 'pending', seeds, metrics: figures(seeds) };
}

/** The cells of a table from the pieces of its folder, in the order of the table. */
export function collectCells(options: CollectOptions): CellResult[] {
  const { cells, printed } = options;
  const found = new Map(cells.possible.map((cell) => [cell.id, collectCell(cell, options)]));
  for (const { id, dataset, ipc, row, kind, failure } of cells.impossible) {
    const figures = printed ? printedFigures(dataset, ipc, row) : [];
    found.set(id, { id, dataset, ipc, row, kind, status: 'failed', failure, seeds: [], metrics: {}, printed: figures });
  }
  return cells.order.flatMap((id) => found.get(id) ?? []);
}
