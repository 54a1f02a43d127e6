import { hostNormal, InterruptedError, type Key, type Runtime } from '@bpc/core';
import type { MlpParams } from '@bpc/models';
import { type Draws, essBulk, rhat, type Series, sample, series } from '@bpc/samplers';
import { columnDeviations, columnMeans, fitMoments, type Moments } from './gaussian.js';
import { type Posterior, posteriorOf, type SamplingRecord } from './metrics.js';
import { linearModelOf, parametersLike, probabilitiesOf, targetOf } from './model.js';
import type { Predictive } from './predictive.js';
import { type ClosenessProblem, type HostPoints, isRegression, parameterCount } from './problem.js';

/** How long NUTS runs. */
export interface SamplingBudget {
  readonly chains: number;
  readonly warmup: number;
  readonly draws: number;
  /** Most doublings of a trajectory. */
  readonly maxDepth: number;
}

/** Where and how posteriors are drawn from. */
export interface PosteriorTools {
  readonly runtime: Runtime;
  readonly key: Key;
  readonly budget: SamplingBudget;
  readonly signal?: AbortSignal;
  /** Transitions of all chains so far. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** y | x is normal with mean x·μ and variance x·Σx + σ². */
function linearPredictive(
  { validation, validationCount, inputs, noiseVariance }: ClosenessProblem,
  { mean, covariance }: Moments,
): Predictive {
  const size = inputs + 1;
  const predicted = { kind: 'normal' as const, mean: [] as number[], variance: [] as number[] };
  for (let n = 0; n < validationCount; n++) {
    const row = [1, ...validation.subarray(n * inputs, (n + 1) * inputs)];
    let [centre, spread] = [0, 0];
    for (let j = 0; j < size; j++) {
      centre += (row[j] as number) * (mean[j] as number);
      for (let k = 0; k < size; k++) spread += (row[j] as number) * (covariance[j * size + k] as number) * (row[k] as number);
    }
    predicted.mean.push(centre);
    predicted.variance.push(spread + noiseVariance);
  }
  return predicted;
}

/** The posterior of weighted points of the linear regression, in closed form. */
export function conjugatePosterior(problem: ClosenessProblem, points: HostPoints): Posterior {
  const count = points.weights.length;
  const subset = { indices: Int32Array.from({ length: count }, (_, n) => n), weights: points.weights };
  const fit = linearModelOf(problem, points).laplace(subset);
  const moments = { mean: fit.mode, covariance: fit.covariance() };
  return posteriorOf(moments, linearPredictive(problem, moments));
}

// Predictives are averages, whose error falls slowly, and cost a pass of the network each.
const mostPredictions = 1000;

/** Class probabilities at the validation inputs, averaged over rows of `draws [n, size]`. */
export async function averagePrediction(problem: ClosenessProblem, draws: Float64Array, runtime: Runtime): Promise<Predictive> {
  const { validation, validationCount, inputs, outputs, likelihood } = problem;
  const size = parameterCount(problem);
  const data = { x: { data: validation, shape: [validationCount, inputs] } };
  const mapping = await runtime.mapping<MlpParams, { readonly x: never }>(probabilitiesOf(problem), parametersLike(problem), data);
  try {
    const count = draws.length / size;
    const taken = Math.min(count, mostPredictions);
    const total = new Float64Array(validationCount * outputs);
    const out = new Float64Array(total.length);
    for (let i = 0; i < taken; i++) {
      const n = Math.floor((i * count) / taken);
      await mapping.evaluate(draws.subarray(n * size, (n + 1) * size), out);
      for (let k = 0; k < total.length; k++) total[k] = (total[k] as number) + (out[k] as number) / taken;
    }
    if (likelihood !== 'bernoulli') return { kind: 'classes', classes: outputs, probabilities: [...total] };
    return { kind: 'classes', classes: 2, probabilities: [...total].flatMap((p) => [1 - p, p]) };
  } finally {
    await mapping.dispose();
  }
}

/** Diagnostics of a run. Where the log density alone is looked at, parameters are not: a network has thousands. */
function recordOf(draws: Draws, seconds: number, ofParameters: boolean): SamplingRecord {
  const { chains, length, statistics } = draws;
  const chainsOf = (values: Float64Array) => Array.from({ length: chains }, (_, c) => values.subarray(c * length, (c + 1) * length));
  const density = chainsOf(statistics['logDensity'] ?? new Float64Array(chains * length));
  const divergent = (statistics['divergent'] ?? new Float64Array(0)).reduce((sum, value) => sum + value, 0);
  const all: readonly Series[] = ofParameters ? series(draws) : [];
  const figures = {
    ...(ofParameters && {
      maximumRhat: Math.max(...all.map((each) => rhat(each.chains))),
      minimumEss: Math.min(...all.map((each) => essBulk(each.chains))),
    }),
    logDensityRhat: rhat(density),
    logDensityEss: essBulk(density),
  };
  const finite = Object.fromEntries(Object.entries(figures).filter(([, value]) => Number.isFinite(value)));
  return { chains, draws: length, ...finite, divergentPercent: (100 * divergent) / (chains * length), seconds };
}

async function fromDraws(problem: ClosenessProblem, draws: Float64Array, runtime: Runtime): Promise<Posterior> {
  const predictive = await averagePrediction(problem, draws, runtime);
  const size = parameterCount(problem);
  if (isRegression(problem)) return posteriorOf(fitMoments(draws, size), predictive);
  const mean = columnMeans(draws, size);
  return { mean: [...mean], sd: [...columnDeviations(draws, mean)], predictive };
}

/** The posterior of weighted points by NUTS. `diagnose` looks at every parameter's R-hat and ESS. */
export async function sampledPosterior(
  problem: ClosenessProblem,
  points: HostPoints,
  { runtime, key, budget, signal, onProgress, diagnose = isRegression(problem) }: PosteriorTools & { readonly diagnose?: boolean },
): Promise<Posterior> {
  const begun = performance.now();
  const draws = await sample({
    ...targetOf(problem, points),
    ...{ ...budget, key, runtime },
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: ({ step, total }) => onProgress({ done: step, total }) }),
  }).collect();
  if (draws.interrupted) throw new InterruptedError('stopped while drawing from a posterior', draws.length, 'start the same command again');
  const record = recordOf(draws, (performance.now() - begun) / 1000, diagnose);
  return { ...(await fromDraws(problem, draws.unconstrained, runtime)), sampling: record };
}

/** The prior as a posterior of no points: its moments are exact, predictions of other than linear models averages over draws. */
export async function priorPosterior(
  problem: ClosenessProblem,
  { runtime, key }: Pick<PosteriorTools, 'runtime' | 'key'>,
): Promise<Posterior> {
  const size = parameterCount(problem);
  const sd = 1 / Math.sqrt(problem.priorPrecision);
  const marginals = { mean: new Array<number>(size).fill(0), sd: new Array<number>(size).fill(sd) };
  const predictive = async () =>
    averagePrediction(
      problem,
      Float64Array.from(hostNormal(key, mostPredictions * size), (value) => sd * value),
      runtime,
    );
  if (!isRegression(problem)) return { ...marginals, predictive: await predictive() };
  const covariance = new Float64Array(size * size);
  for (let j = 0; j < size; j++) covariance[j * size + j] = sd * sd;
  const moments = { mean: new Float64Array(size), covariance };
  return posteriorOf(moments, problem.likelihood === 'normal' ? linearPredictive(problem, moments) : await predictive());
}

/** The posterior of weighted points: in closed form where there is one. */
export async function posteriorOfPoints(
  problem: ClosenessProblem,
  points: HostPoints,
  tools: PosteriorTools & { readonly diagnose?: boolean },
): Promise<Posterior> {
  return problem.likelihood === 'normal' ? conjugatePosterior(problem, points) : sampledPosterior(problem, points, tools);
}
