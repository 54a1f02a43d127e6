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

const figure = (value: number): string => String(Number(value.toPrecision(3)));

/** The weights of some coresets in words. */
function weightsNote(weights: readonly Float32Array[]): string {
  const all = weights.flatMap((one) => Array.from(one));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return low === high ? `weights ${figure(low)}` : `weights ${figure(low)} to ${figure(high)}`;
}

/**
 * How predictions from coresets were made, in words: at T = 0 an ensemble of point estimates, never called a posterior.
 *
 * @param weights - of the coresets.
 */
export function inferenceNote(
  inference: Score['inference'],
  { chains, draws, temperature, priorPrecision, reduction }: EvaluationConfig,
  weights: readonly Float32Array[],
): string {
  const prior = priorPrecision > 0 ? `Gaussian prior of precision ${priorPrecision}` : 'no prior';
  const energy = `${prior}, energy: ${reduction} of the weighted losses, ${weightsNote(weights)}`;
  if (inference === 'ensemble') return `ensemble of ${chains} ${chains === 1 ? 'network' : 'networks'} (T = 0, ${energy})`;
  return `posterior: ${chains} chains × ${draws} draws (T = ${temperature}, ${energy})`;
}

const meanings: Readonly<Record<string, string>> = {
  random: 'random real images, a fresh draw per seed',
  'nearest-mean': 'the real images nearest the mean of their class',
  init: 'the coreset at step 0',
  learned: 'the coreset after its last step',
};

function noteOf(name: string, config: RunConfig): string {
  if (name !== 'full') return meanings[name] ?? name;
  const { networks, epochs } = config.full;
  return `the same network on all training images; ${networks === 1 ? 'one network' : `ensemble of ${networks} networks`} after ${epochs} epochs`;
}

function resultRow({ name, scores }: RowScores, config: RunConfig): ResultRow[] {
  const [first] = scores;
  if (first === undefined) return [];
  const metrics = Object.keys(first.metrics).map(
    (metric) => [metric, summarise(scores.map((score) => score.metrics[metric] ?? Number.NaN))] as const,
  );
  const note = noteOf(name, config);
  return [{ name, kind: kinds[name] ?? 'other', inference: first.inference, note, metrics: Object.fromEntries(metrics) }];
}

interface ResultsOptions {
  readonly config: RunConfig;
  readonly seeds: readonly number[];
  readonly rows: readonly RowScores[];
  /** Weights of the learned coresets. */
  readonly weights: readonly Float32Array[];
  readonly runtime: string;
  readonly cost: RunCost;
  readonly resumed: boolean;
}

/** The contents of `results.json`. */
export function runResults({ config, seeds, rows, weights, runtime, cost, resumed }: ResultsOptions): Results {
  const { dataset, method, ipc, seed, threads, workers } = config;
  const inference = config.evaluation.temperature > 0 ? 'posterior' : 'ensemble';
  return {
    task: {
      ...{ dataset, method, ipc, network: networkTitle(config), seed, seeds: [...seeds], init: config.init, scoredOn: config.scoreOn },
      // Of every row but the ceiling.
      prediction: inferenceNote(inference, config.evaluation, weights),
    },
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
