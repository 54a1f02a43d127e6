import type { Json } from '@bpc/core';
import { type EvaluationConfig, presetOrigin, type RunConfig } from '../config/index.js';
import { inferenceOf, protocolNote } from '../evaluation/protocol-note.js';
import type { Score } from '../evaluation/score.js';
import { summariseScores } from '../evaluation/summarise-scores.js';
import { networkTitle } from '../experts/network.js';
import { methodTraits } from '../methods/traits.js';
import type { ResultRow, Results } from '../report/results.js';
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

/** The weights of some coresets in words, and what an evaluation makes of them (`evaluatedCoreset`). */
function weightsNote(weights: readonly Float32Array[], reduction: EvaluationConfig['reduction']): string {
  const all = weights.flatMap((one) => Array.from(one));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const range = low === high ? `weights ${figure(low)}` : `weights ${figure(low)} to ${figure(high)}`;
  return reduction === 'mean' && (low !== 1 || high !== 1) ? `${range}, scaled to a mean of 1` : range;
}

/**
 * How predictions from coresets were made, in words: at T = 0 an ensemble of point estimates, never called a posterior.
 *
 * @param weights - of the coresets.
 */
export function inferenceNote(inference: Score['inference'], settings: EvaluationConfig, weights: readonly Float32Array[]): string {
  const { priorPrecision, reduction } = settings;
  const prior = priorPrecision > 0 ? `Gaussian prior of precision ${priorPrecision}` : 'no prior';
  return protocolNote(inference, settings, { prior, weights: weightsNote(weights, reduction) });
}

const meanings: Readonly<Record<string, string>> = {
  random: 'random real images, a fresh draw per seed',
  'nearest-mean': 'the real images nearest the mean of their class',
  init: 'the coreset at step 0',
};

function noteOf(name: string, config: RunConfig): string {
  if (name === 'learned') return `the coreset after its last step, by ${methodTraits[config.method].title}`;
  if (name !== 'full') return meanings[name] ?? name;
  const { networks, epochs } = config.full;
  return `the same network on all training images; ${networks === 1 ? 'one network' : `ensemble of ${networks} networks`} after ${epochs} epochs`;
}

function resultRow({ name, scores }: RowScores, config: RunConfig): ResultRow[] {
  if (scores.length === 0) return [];
  return [{ name, kind: kinds[name] ?? 'other', note: noteOf(name, config), ...summariseScores(scores) }];
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
  const { dataset, method, preset, ipc, seed, threads, workers } = config;
  const inference = inferenceOf(config.evaluation);
  return {
    task: {
      ...{ dataset, method, ipc, network: networkTitle(config), seed, seeds: [...seeds], init: config.init, scoredOn: config.scoreOn },
      ...{ preset, presetOrigin: presetOrigin(preset, dataset, ipc) },
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
