import { type FlatDensity, keyFromString } from '@bpc/core';
import { nutsKernel } from '../nuts/kernel.js';
import type { Metric } from '../nuts/metric.js';
import { windowedAdaptation } from '../warmup/windowed-adaptation.js';
import type { Chain, ChainRecord, SavedChain } from './chain.js';
import { chainKeys } from './chain-keys.js';
import { checkSameDensity } from './check-same-density.js';
import type { PreparedTarget } from './prepared-target.js';
import { rowBuffer } from './rows.js';
import { savedNumbers, savedUnder } from './saved-state.js';
import { isKept, type Settings } from './settings.js';
import { findStart } from './start.js';
import { statisticsWindow } from './statistics-window.js';

/** What NUTS says about each draw. */
export const NUTS_STATISTICS = [
  'logDensity',
  'acceptance',
  'stepSize',
  'depth',
  'leapfrogSteps',
  'divergent',
  'maxDepthReached',
  'energy',
] as const;

/** What a chain is made from. */
export interface ChainOptions {
  readonly prepared: PreparedTarget;
  readonly density: FlatDensity;
  readonly settings: Settings;
  readonly index: number;
  /** Unconstrained; searched for if absent. */
  readonly start: Float64Array | undefined;
  readonly saved: SavedChain | undefined;
  /** Resume although the log density differs in its last bits. */
  readonly allowInexact: boolean;
}

const WARMUP = 'warmup/';

/** A chain of the no-U-turn sampler, with Stan's warm-up. */
export async function nutsChain(options: ChainOptions): Promise<Chain> {
  const { prepared, density, settings, index, saved } = options;
  const { layout, internals } = prepared;
  const { mapping } = internals;
  const { warmup, targetAcceptance, metric: wanted, maxDepth, temperature } = settings;
  const { size } = density;
  const keys = chainKeys(keyFromString(settings.key), index);
  const kernel = nutsKernel({ density, maxDepth, temperature });
  const fixed: Metric | undefined = typeof wanted === 'string' ? undefined : wanted;
  const kind = typeof wanted === 'string' ? wanted : 'unit';
  const adaptation = windowedAdaptation({ size, warmup, targetAcceptance, metric: kind });
  const buffer = rowBuffer({ unconstrained: size, values: layout.outputSize, statistics: NUTS_STATISTICS.length });
  const window = statisticsWindow(NUTS_STATISTICS);
  const statistics = new Float64Array(NUTS_STATISTICS.length);
  const outputs = new Float64Array(layout.outputSize);
  const seconds = { warmup: 0, sampling: 0 };
  let step = 0;
  let tries = 0;
  let divergences = 0;
  let warmupDivergences = 0;

  if (fixed !== undefined) kernel.metric = fixed;
  if (saved === undefined) {
    const start = await findStart({ density, mapping, layout, chain: index, key: keys.start, given: options.start });
    tries = start.tries;
    await kernel.start(start.position);
    kernel.stepSize = settings.stepSize ?? (await kernel.initialStepSize(keys.stepSize(0)));
    adaptation.begin(kernel.stepSize);
  } else {
    await kernel.start(savedNumbers(saved, 'position'));
    checkSameDensity(index, savedNumbers(saved, 'logDensity'), kernel.logDensity, options.allowInexact);
    adaptation.load(savedUnder(WARMUP, saved));
    if (fixed === undefined && saved.step > 0) kernel.metric = adaptation.metric;
    const [stepSize = Number.NaN, ...counts] = savedNumbers(saved, 'counts');
    kernel.stepSize = stepSize;
    [tries = 0, divergences = 0, warmupDivergences = 0, seconds.warmup = 0, seconds.sampling = 0] = counts;
    window.values.set(savedNumbers(saved, 'window'));
    step = saved.step;
  }

  /** Tunes after a transition of the warm-up. */
  const adapt = (): void | Promise<void> => {
    const changed = adaptation.update(kernel.position, kernel.info.acceptance);
    if (changed) {
      if (fixed === undefined) kernel.metric = adaptation.metric;
      kernel.stepSize = adaptation.stepSize;
      const found = kernel.initialStepSize(keys.stepSize(step + 1));
      if (typeof found !== 'number') return found.then(restart);
      restart(found);
      return;
    }
    settle();
  };
  const restart = (stepSize: number): void => {
    adaptation.begin(stepSize);
    settle();
  };
  const settle = (): void => {
    if (step + 1 === warmup) adaptation.finish();
    kernel.stepSize = adaptation.stepSize;
  };

  const observe = (): void => {
    const { info } = kernel;
    statistics[0] = info.logDensity;
    statistics[1] = info.acceptance;
    statistics[2] = kernel.stepSize;
    statistics[3] = info.depth;
    statistics[4] = info.leapfrogSteps;
    statistics[5] = +info.divergent;
    statistics[6] = +info.maxDepthReached;
    statistics[7] = info.energy;
    window.add(statistics);
    if (info.divergent) {
      divergences += 1;
      if (step < warmup) warmupDivergences += 1;
    }
  };

  const chain: Chain = {
    index,
    get step() {
      return step;
    },
    get divergences() {
      return divergences;
    },
    async advance(to) {
      let begun = performance.now();
      const account = (): void => {
        const now = performance.now();
        seconds[step <= warmup ? 'warmup' : 'sampling'] += (now - begun) / 1000;
        begun = now;
      };
      while (step < to) {
        // Awaited only if there is something to wait for: a promise per transition would cost as much as a small model's.
        const moved = kernel.transition(keys.transition(step));
        if (moved !== undefined) await moved;
        observe();
        if (step < warmup) {
          const tuned = adapt();
          if (tuned !== undefined) await tuned;
        }
        step += 1;
        if (isKept(settings, step)) {
          const mapped = mapping.evaluate(kernel.position, outputs);
          if (mapped !== undefined) await mapped;
          buffer.push(kernel.position, outputs, window.values);
        }
        if (step === warmup || (step < warmup ? step : step - warmup) % settings.thin === 0) window.clear();
        if (step === warmup) account();
      }
      account();
    },
    take: buffer.take,
    async save() {
      const warm = Object.entries(adaptation.save()).map(([name, array]) => [WARMUP + name, array] as const);
      return {
        step,
        arrays: {
          position: kernel.position.slice(),
          logDensity: Float64Array.of(kernel.logDensity),
          counts: Float64Array.of(kernel.stepSize, tries, divergences, warmupDivergences, seconds.warmup, seconds.sampling),
          window: window.values.slice(),
          ...Object.fromEntries(warm),
        },
        record: chain.record(),
      };
    },
    record(): ChainRecord {
      const { kind: name, inverseMass } = kernel.metric;
      return {
        step,
        stepSize: kernel.stepSize,
        metric: { kind: name, inverseMass: Array.from(inverseMass) },
        startTries: tries,
        divergences: { warmup: warmupDivergences, sampling: divergences - warmupDivergences },
        seconds: { ...seconds },
      };
    },
    async dispose() {},
  };
  return chain;
}
