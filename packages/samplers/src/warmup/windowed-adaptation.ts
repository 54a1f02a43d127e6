import { CheckpointError, NonFiniteError } from '@bpc/core';
import { checkSize } from '../nuts/check.js';
import { denseMetric, diagonalMetric, type Metric, unitMetric } from '../nuts/metric.js';
import { dualAveraging } from './dual-averaging.js';
import { welford } from './welford.js';
import { warmUpWindows } from './windows.js';

/** Options of `windowedAdaptation`. */
export interface WindowedAdaptationOptions {
  /** Number of unconstrained parameters. */
  readonly size: number;
  /** Transitions of the warm-up. */
  readonly warmup: number;
  /** Mean acceptance probability to aim for, in (0, 1) (0.8 by default, Stan's; nearer to 1 if there are divergences). */
  readonly targetAcceptance?: number;
  /** What to learn of the covariance: nothing, the variances (the default), or all of it. */
  readonly metric?: Metric['kind'];
}

/** Step size and metric while they are being learnt. Tunes any sampler with a step size that reports acceptance probabilities. */
export interface WarmUp {
  /** For the next transition. */
  readonly stepSize: number;
  readonly metric: Metric;
  /** Starts dual averaging from a step size: once before the first transition, and after every change of the metric. */
  begin(stepSize: number): void;
  /** Learns from one warm-up transition. True if the metric changed: search the step size anew and call `begin`. */
  update(position: Float64Array, acceptance: number): boolean;
  /** Ends the warm-up: from now on `stepSize` is the averaged one. */
  finish(): void;
  /** Everything, to continue bitwise. Fresh arrays. */
  save(): Record<string, Float64Array>;
  /** @throws CheckpointError if it was saved by a warm-up of another size or kind. */
  load(saved: Readonly<Record<string, Float64Array>>): void;
}

/**
 * Stan's warm-up: dual averaging of the step size throughout, and an estimate of the metric after each of a series of
 * doubling windows (`warmUpWindows`), shrunk as in `welford`.
 *
 * @throws ConfigError on an option out of its domain; NonFiniteError from `update` if draws are so extreme that their
 * variances overflow.
 * @example
 * ```ts
 * import { foldIn, key } from '@bpc/core';
 * import { nutsKernel, windowedAdaptation } from '@bpc/samplers';
 * const density = { size: 1, evaluate: (q: Float64Array, g: Float64Array) => ((g[0] = -q[0]! / 9), (-0.5 * q[0]! ** 2) / 9) };
 * const kernel = nutsKernel({ density });
 * await kernel.start(Float64Array.of(1));
 * const warmUp = windowedAdaptation({ size: 1, warmup: 300 });
 * warmUp.begin(await kernel.initialStepSize(key(0)));
 * for (let i = 0; i < 300; i++) {
 *   kernel.stepSize = warmUp.stepSize;
 *   await kernel.transition(foldIn(key(1), i));
 *   if (!warmUp.update(kernel.position, kernel.info.acceptance)) continue;
 *   kernel.metric = warmUp.metric;
 *   warmUp.begin(await kernel.initialStepSize(foldIn(key(2), i)));
 * }
 * warmUp.finish();
 * kernel.stepSize = warmUp.stepSize;
 * console.log(warmUp.metric.inverseMass[0]); // about 9
 * ```
 */
export function windowedAdaptation(options: WindowedAdaptationOptions): WarmUp {
  const { warmup, targetAcceptance, metric: kind = 'diagonal' } = options;
  const size = checkSize(options.size);
  const windows = warmUpWindows(warmup);
  const steps = dualAveraging(targetAcceptance === undefined ? {} : { targetAcceptance });
  const running = welford(size, { dense: kind === 'dense' });
  let metric = unitMetric(size);
  let iteration = 0;
  let finished = false;

  const estimate = (): Metric => {
    const estimated = running.regularised();
    if (!estimated.every(Number.isFinite)) {
      throw new NonFiniteError(
        'draws of the warm-up are so extreme that their variances overflow',
        iteration,
        'give every parameter a proper prior, or start nearer to the bulk',
      );
    }
    return kind === 'dense' ? denseMetric(estimated, size) : diagonalMetric(estimated);
  };

  return {
    get stepSize() {
      return finished ? steps.averaged : steps.stepSize;
    },
    get metric() {
      return metric;
    },
    begin: (stepSize) => steps.begin(stepSize),
    update(position, acceptance) {
      steps.update(acceptance);
      const now = iteration++;
      if (kind === 'unit' || now < windows.start || now >= windows.end) return false;
      running.update(position);
      if (!windows.updates.includes(now)) return false;
      metric = estimate();
      running.reset();
      return true;
    },
    finish() {
      finished = true;
    },
    save: () => ({
      progress: Float64Array.of(iteration, Number(finished), Number(metric.kind !== 'unit')),
      stepSize: steps.save(),
      moments: running.save(),
      inverseMass: metric.inverseMass.slice(),
    }),
    load({ progress, stepSize, moments, inverseMass }) {
      const known = Number(progress?.[2]) === 1;
      const lengths = [progress?.length, stepSize?.length, moments?.length, inverseMass?.length];
      const expected = [3, steps.save().length, running.save().length, known && kind === 'dense' ? size * size : size];
      if (
        !progress ||
        !stepSize ||
        !moments ||
        !inverseMass ||
        lengths.some((length, i) => length !== expected[i]) ||
        (known && kind === 'unit')
      ) {
        throw new CheckpointError(
          `the saved warm-up has arrays of ${lengths.join(', ')} numbers, expected ${expected.join(', ')}`,
          'load it into a warm-up with the same options',
        );
      }
      iteration = Number(progress[0]);
      finished = progress[1] === 1;
      steps.load(stepSize);
      running.load(moments);
      metric = !known ? unitMetric(size) : kind === 'dense' ? denseMetric(inverseMass, size) : diagonalMetric(inverseMass);
    },
  };
}
