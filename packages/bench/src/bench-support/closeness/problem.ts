import { foldIn, hostPermutation, key } from '@bpc/core';
import { getDataset } from '../../data/get-dataset.js';
import { getTable } from '../../data/tables/get-table.js';
import type { TableSplit } from '../../data/tables/table.js';
import { toFloat } from '../../data/to-float.js';

export const caseNames = ['regression', 'a9a', 'digits-mlp'] as const;
export type CaseName = (typeof caseNames)[number];

/** Weighted points on the host. `x [count, inputs]`, `y [count, outputs]`, row-major. */
export interface HostPoints {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly weights: Float64Array;
}

/** Data and model of one case: plain data, so that threads can be sent it. */
export interface ClosenessProblem {
  readonly name: CaseName;
  readonly title: string;
  /** Targets: real numbers with normal noise, 0 or 1, or one-hot classes. */
  readonly likelihood: 'normal' | 'bernoulli' | 'categorical';
  readonly inputs: number;
  readonly outputs: number;
  /** Units of hidden layers; none for a regression. */
  readonly hidden: readonly number[];
  /** Of independent normal priors on all parameters. */
  readonly priorPrecision: number;
  /** Of `'normal'`, known; 1 elsewhere. */
  readonly noiseVariance: number;
  /** N points with weight 1. */
  readonly train: HostPoints;
  /** Inputs at which predictives are compared, `[validationCount, inputs]`. */
  readonly validation: Float64Array;
  readonly validationCount: number;
  /** M. */
  readonly points: number;
}

/** N. */
export const trainCount = ({ train }: ClosenessProblem): number => train.weights.length;

/** Number of parameters of the model. */
export function parameterCount({ inputs, hidden, outputs }: ClosenessProblem): number {
  const sizes = [inputs, ...hidden, outputs];
  return sizes.slice(1).reduce((total, units, i) => total + ((sizes[i] as number) + 1) * units, 0);
}

/** The model is a regression, whose posterior has one mode. */
export const isRegression = ({ hidden }: Pick<ClosenessProblem, 'hidden'>): boolean => hidden.length === 0;

const ones = (count: number): Float64Array => new Float64Array(count).fill(1);

function meanAndVariance(values: Float64Array): readonly [number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length];
}

/** Diabetes progression from ten standardised measurements, the target in units of its standard deviation. */
async function regression(): Promise<ClosenessProblem> {
  const { train, validation, columns } = await getTable('diabetes');
  const [mean, variance] = meanAndVariance(train.targets);
  return {
    name: 'regression',
    title: 'linear regression, diabetes',
    likelihood: 'normal',
    inputs: columns.length,
    outputs: 1,
    hidden: [],
    priorPrecision: 1,
    // About what the ten measurements leave unexplained: half of the variance.
    noiseVariance: 0.5,
    train: { x: train.features, y: train.targets.map((target) => (target - mean) / Math.sqrt(variance)), weights: ones(train.count) },
    validation: validation.features,
    validationCount: validation.count,
    points: 20,
  };
}

/** Which rows stand for all, the same in every run. */
const chosenRows = (count: number, wanted: number, stream: number): Int32Array =>
  hostPermutation(foldIn(key(20251120), stream), count).subarray(0, Math.min(wanted, count));

function pick({ features }: TableSplit<'train' | 'validation'>, rows: Int32Array, width: number, columns: readonly number[]): Float64Array {
  const values = new Float64Array(rows.length * columns.length);
  rows.forEach((row, i) => {
    columns.forEach((column, j) => {
      values[i * columns.length + j] = features[row * width + column] as number;
    });
  });
  return values;
}

/**
 * Income above 50 000 a year from indicators, of which those are kept that are neither rare nor nearly always set: with a
 * few thousand rows the others' coefficients have the prior for their posterior, whatever a coreset does.
 */
async function a9a(quick: boolean): Promise<ClosenessProblem> {
  const { train, validation, columns } = await getTable('a9a');
  const width = columns.length;
  const rows = chosenRows(train.count, quick ? 400 : 2000, 0);
  const share = (column: number) => rows.reduce((sum, row) => sum + (train.features[row * width + column] as number), 0) / rows.length;
  const kept = columns.map((_, j) => j).filter((j) => share(j) >= 0.1 && share(j) <= 0.9);
  const inputs = chosenRows(validation.count, quick ? 100 : 500, 1);
  return {
    name: 'a9a',
    title: 'logistic regression, a9a subset',
    likelihood: 'bernoulli',
    inputs: kept.length,
    outputs: 1,
    hidden: [],
    priorPrecision: 1,
    noiseVariance: 1,
    train: {
      x: pick(train, rows, width, kept),
      y: Float64Array.from(rows, (row) => train.targets[row] as number),
      weights: ones(rows.length),
    },
    validation: pick(validation, inputs, width, kept),
    validationCount: inputs.length,
    points: 40,
  };
}

/** Handwritten digits of 8×8 pixels with a small network. */
async function digits(quick: boolean): Promise<ClosenessProblem> {
  const { train, validation, normalisation, classes } = await getDataset('digits');
  const rows = chosenRows(train.count, quick ? 200 : train.count, 2);
  const inputs = chosenRows(validation.count, quick ? 100 : validation.count, 3);
  const y = new Float64Array(rows.length * classes);
  rows.forEach((row, i) => {
    y[i * classes + (train.labels[row] as number)] = 1;
  });
  return {
    name: 'digits-mlp',
    title: 'digits, MLP 64-16-10',
    likelihood: 'categorical',
    inputs: 64,
    outputs: classes,
    hidden: [16],
    priorPrecision: 1,
    noiseVariance: 1,
    train: { x: Float64Array.from(toFloat(train, rows, normalisation)), y, weights: ones(rows.length) },
    validation: Float64Array.from(toFloat(validation, inputs, normalisation)),
    validationCount: inputs.length,
    points: 50,
  };
}

/**
 * Loads a case; `quick` takes fewer rows.
 *
 * All data are part of this package. @throws as `getTable` and `getDataset`, if it is damaged.
 */
export function loadProblem(name: CaseName, quick: boolean): Promise<ClosenessProblem> {
  switch (name) {
    case 'regression':
      return regression();
    case 'a9a':
      return a9a(quick);
    case 'digits-mlp':
      return digits(quick);
  }
}
