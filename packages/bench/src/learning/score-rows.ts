import type { RunConfig } from '../config/index.js';
import type { EvaluateTaskOptions } from '../evaluation/evaluate-task.js';
import type { FullTaskOptions } from '../evaluation/full-task.js';
import type { HostCoreset } from '../evaluation/host-coreset.js';
import type { Score } from '../evaluation/score.js';
import type { NetworkSpec } from '../experts/network.js';
import type { PhaseProgress } from '../progress/index.js';
import type { RunFolder } from '../run-folder/index.js';
import { moduleUrl, runWithProgress, type TaskPool, type TaskSpec } from '../workers/index.js';
import { coresetHash, coresetRows } from './rows.js';

/** The scores of one row, one per seed. */
export interface RowScores {
  readonly name: string;
  readonly scores: readonly Score[];
}

interface ScoreOptions {
  readonly config: RunConfig;
  readonly network: NetworkSpec;
  readonly seeds: readonly number[];
  /** Coresets by row, per seed. */
  readonly coresets: readonly Readonly<Record<string, HostCoreset>>[];
  readonly pool: TaskPool;
  readonly folder: Pick<RunFolder, 'readPiece' | 'writePiece'>;
  /** Images per split, by which the cost of a task is estimated. */
  readonly images: { readonly train: number; readonly scored: number };
  readonly progress: (count: number, total: number) => PhaseProgress;
}

interface Piece {
  readonly name: string;
  readonly task: TaskSpec<EvaluateTaskOptions | FullTaskOptions>;
}

const evaluateModule = () => moduleUrl('../evaluation/evaluate-task.js', import.meta.url);
const fullModule = () => moduleUrl('../evaluation/full-task.js', import.meta.url);

/** Cost of a task in forward passes of one image; a gradient counts as three. */
function passes(options: EvaluateTaskOptions | FullTaskOptions, images: ScoreOptions['images']): number {
  if (!('coreset' in options)) return options.settings.networks * (3 * options.settings.epochs * images.train + images.scored);
  const { chains, steps, draws, thinning, temperature } = options.settings;
  const moves = steps + (temperature > 0 ? draws * thinning : 0);
  return chains * (3 * moves * options.coreset.weights.length + draws * images.scored);
}

/**
 * Scores every row with every seed, skipping what an earlier run of the same settings has scored.
 *
 * Chains depend on the seed only, so that rows are compared with the same initialisations. Equal coresets (a start from
 * nearest-mean images and that control) are scored once.
 */
export async function scoreRows({ config, network, seeds, coresets, pool, folder, progress, images }: ScoreOptions): Promise<RowScores[]> {
  const settings = config.evaluation;
  const split = config.scoreOn;
  const fullPieces = seeds.map(
    (seed): Piece => ({
      name: `full-seed${seed}`,
      task: { module: fullModule(), export: 'fullTask', options: { network, settings: config.full, seed, split } },
    }),
  );
  const rowPieces = new Map<string, Piece[]>(
    coresetRows.map((row) => [
      row,
      seeds.flatMap((seed, s): Piece[] => {
        const coreset = coresets[s]?.[row];
        if (coreset === undefined) return [];
        const options: EvaluateTaskOptions = { network, coreset, settings, seed, split };
        return [{ name: `score-seed${seed}-${coresetHash(coreset)}`, task: { module: evaluateModule(), export: 'evaluateTask', options } }];
      }),
    ]),
  );
  // The ceiling takes longest, so it goes first: threads then finish together.
  const pieces = new Map([...fullPieces, ...[...rowPieces.values()].flat()].map((piece) => [piece.name, piece.task]));
  const scores = new Map<string, Score>();
  for (const name of pieces.keys()) {
    const done = folder.readPiece<Score>(name);
    if (done !== undefined) scores.set(name, done);
  }
  const missing = [...pieces].filter(([name]) => !scores.has(name));
  if (missing.length > 0) {
    const tasks = missing.map(([, task]) => task);
    const weights = tasks.map(({ options }) => passes(options, images));
    const phase = progress(
      missing.length,
      weights.reduce((a, b) => a + b, 0),
    );
    const store = async (index: number, score: Score) => {
      const name = missing[index]?.[0] ?? '';
      await folder.writePiece(name, score);
      scores.set(name, score);
    };
    await runWithProgress<EvaluateTaskOptions | FullTaskOptions, Score>(pool, tasks, { phase, weights, store });
  }
  const collect = (name: string, list: readonly Piece[]): RowScores => ({
    name,
    scores: list.flatMap((piece) => scores.get(piece.name) ?? []),
  });
  return [...[...rowPieces].map(([row, list]) => collect(row, list)), collect('full', fullPieces)];
}
