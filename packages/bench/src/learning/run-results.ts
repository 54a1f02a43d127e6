import type { Json } from '@bpc/core';
import type { EvaluationConfig, RunConfig } from '../config/index.js';
import type { Score } from '../evaluation/score.js';
import { networkTitle } from '../experts/network.js';
import { type ResultRow, type Results, summarise } from '../report/results.js';
import { packageVersions } from '../runtime-choice/index.js';
import type { RowScores } from './collect-scores.js';
import type { RunCost } from './phases.js';

const kinds: Readonly<Record<string, ResultRow['kind']>> = {
  random: 'control',
  'nearest-mean': 'control',
  init: 'control',
  learned: 'learned',
  full: 'ceiling',
};

/** How a row's predictions were made, in words: at T = 0 an ensemble of point estimates, never called a posterior. */
export function inferenceNote(
  inference: Score['inference'],
  { chains, draws, temperature, priorPrecision, reduction }: EvaluationConfig,
): string {
  const prior = `Gaussian prior of precision ${priorPrecision}, energy: ${reduction} of the weighted losses`;
  if (inference === 'ensemble') return `ensemble of ${chains} networks (T = 0, ${prior})`;
  return `posterior: ${chains} chains × ${draws} draws (T = ${temperature}, ${prior})`;
}

const meanings: Readonly<Record<string, string>> = {
  random: 'random real images, a fresh draw per seed',
  'nearest-mean': 'the real images nearest the mean of their class',
  init: 'the coreset at step 0',
  learned: 'the learned coreset',
};

function noteOf(name: string, first: Score, config: RunConfig): string {
  if (name !== 'full') return `${meanings[name] ?? name}; ${inferenceNote(first.inference, config.evaluation)}`;
  const { networks, epochs } = config.full;
  return `the same network on all training images; ${networks === 1 ? 'one network' : `ensemble of ${networks} networks`} after ${epochs} epochs`;
}

function resultRow({ name, scores }: RowScores, config: RunConfig): ResultRow[] {
  const [first] = scores;
  if (first === undefined) return [];
  const metrics = Object.keys(first.metrics).map(
    (metric) => [metric, summarise(scores.map((score) => score.metrics[metric] ?? Number.NaN))] as const,
  );
  const note = noteOf(name, first, config);
  return [{ name, kind: kinds[name] ?? 'other', inference: first.inference, note, metrics: Object.fromEntries(metrics) }];
}

interface ResultsOptions {
  readonly config: RunConfig;
  readonly seeds: readonly number[];
  readonly rows: readonly RowScores[];
  readonly runtime: string;
  readonly cost: RunCost;
  readonly resumed: boolean;
}

/** The contents of `results.json`. */
export function runResults({ config, seeds, rows, runtime, cost, resumed }: ResultsOptions): Results {
  const { dataset, method, ipc, seed, threads, workers } = config;
  return {
    task: { dataset, method, ipc, network: networkTitle(config), seed, seeds: [...seeds], init: config.init, scoredOn: config.scoreOn },
    rows: rows.flatMap((row) => resultRow(row, config)),
    environment: {
      runtime,
      threads,
      workers,
      node: process.version,
      versions: packageVersions(),
      seconds: { ...cost.seconds },
      threadSeconds: { ...cost.threadSeconds },
      peakRssMb: cost.peakRssMb,
      resumed,
    },
    config: JSON.parse(JSON.stringify(config)) as Results['config'] & Record<string, Json>,
  };
}
