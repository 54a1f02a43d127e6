import { disposeTree, type FlatDensity, type Key, keyFromString, type Tree, treeLeaves } from '@bpc/core';
import type { AlgorithmPrograms } from './algorithm-programs.js';
import { algorithmTuner, type Tuner } from './algorithm-tuner.js';
import type { Chain, ChainRecord, SavedChain } from './chain.js';
import { chainKeys } from './chain-keys.js';
import { checkFinite } from './check-finite.js';
import { checkSameDensity } from './check-same-density.js';
import type { PreparedTarget } from './prepared-target.js';
import { rowSource } from './row-source.js';
import { rowBuffer } from './rows.js';
import { savedNumbers, stateArrays, stateFromArrays } from './saved-state.js';
import { isKept, type Settings, totalSteps } from './settings.js';
import { findStart } from './start.js';
import { statisticsWindow } from './statistics-window.js';
import { flatTree, treeOfFlat } from './tensor-position.js';
import { type AlgorithmState, isTunable, withVariances } from './tunable-state.js';

/** What a chain of a tensor algorithm is made from. */
export interface AlgorithmChainOptions {
  readonly prepared: PreparedTarget;
  readonly programs: AlgorithmPrograms;
  /** Evaluated at starts, and to tell another model from the saved one. */
  readonly density: FlatDensity;
  readonly settings: Settings;
  /** Transitions per block. */
  readonly length: number;
  readonly index: number;
  readonly start: Float64Array | undefined;
  readonly saved: SavedChain | undefined;
  readonly allowInexact: boolean;
}

/**
 * A chain of a tensor algorithm, in blocks of transitions.
 *
 * A state is float32 at the ends of blocks, so these must not depend on pauses: blocks start at multiples of their length from
 * step 0 (from the end of the warm-up for an algorithm that is tuned, whose warm-up goes step by step), and a block that reaches
 * beyond the last draw is run again from its start should more draws be asked for.
 */
export async function algorithmChain(options: AlgorithmChainOptions): Promise<Chain> {
  const { prepared, programs, density, settings, length, index, saved } = options;
  const { layout, internals } = prepared;
  const { mapping } = internals;
  const { statistics: names } = programs;
  const { warmup, metric } = settings;
  const { size } = density;
  const keys = chainKeys(keyFromString(settings.key), index);
  const rowsOf = rowSource(internals.data, settings, index);
  const buffer = rowBuffer({ unconstrained: size, values: layout.outputSize, statistics: names.length });
  const window = statisticsWindow(names);
  const statistics = new Float64Array(names.length);
  const position = new Float64Array(size);
  const outputs = new Float64Array(layout.outputSize);
  const divergent = names.indexOf('divergent');
  const seconds = { warmup: 0, sampling: 0 };
  let tuner: Tuner | undefined;
  let state: AlgorithmState;
  /** Transitions behind `state`, and how many of them have given their rows. */
  let base = 0;
  let step = 0;
  let tries = 0;
  let divergences = 0;
  let warmupDivergences = 0;

  const tunable = warmup > 0 && isTunable(programs.like, names);
  if (saved === undefined) {
    const start = await findStart({ density, mapping, layout, chain: index, key: keys.start, given: options.start });
    tries = start.tries;
    const first = treeOfFlat(programs.like.position, start.position);
    const data = programs.initData();
    try {
      state = await programs.init(first, keys.start(tries), data);
    } finally {
      disposeTree(first);
      disposeTree(data);
    }
    if (isTunable(state, names) && typeof metric !== 'string' && metric.kind === 'diagonal') {
      state = withVariances(state, metric.inverseMass);
    }
  } else {
    state = stateFromArrays(programs.like, saved);
    await flatTree(state.position, position);
    checkSameDensity(
      index,
      savedNumbers(saved, 'logDensity'),
      await density.evaluate(position, new Float64Array(size)),
      options.allowInexact,
    );
    [base = 0, tries = 0, divergences = 0, warmupDivergences = 0, seconds.warmup = 0, seconds.sampling = 0] = savedNumbers(saved, 'counts');
    window.values.set(savedNumbers(saved, 'window'));
    step = saved.step;
  }

  if (tunable) [tuner, state] = await algorithmTuner(state, { programs, settings, size, key: keys.stepSize, saved });

  /** Keeps what transition `step + 1` gave, once its position and statistics are filled in. Waits only where a runtime answers later. */
  const keep = (): void | Promise<void> => {
    checkFinite(index, step + 1, position, layout);
    window.add(statistics);
    if (divergent >= 0 && (statistics[divergent] as number) > 0) {
      divergences += 1;
      if (step < warmup) warmupDivergences += 1;
    }
    step += 1;
    if (!isKept(settings, step)) return closeWindow();
    const mapped = mapping.evaluate(position, outputs);
    if (mapped !== undefined) return mapped.then(pushRow);
    pushRow();
  };
  const pushRow = (): void => {
    buffer.push(position, outputs, window.values);
    closeWindow();
  };
  const closeWindow = (): void => {
    if (step === warmup || (step < warmup ? step : step - warmup) % settings.thin === 0) window.clear();
  };

  /** The block from `base` on. */
  const runBlock = async (count: number, key: Key): Promise<void> => {
    const rows = rowsOf(base, count);
    const { state: next, positions, info } = await programs.block(count)(key, state, rows);
    disposeTree(rows);
    try {
      const [where, said] = await Promise.all([numbersOf(positions), numbersOf(info)]);
      // A block that is run again has given some of its rows before.
      for (let i = step - base; i < count && step < totalSteps(settings); i++) {
        let offset = 0;
        for (const leaf of where) {
          const width = leaf.length / count;
          for (let k = 0; k < width; k++) position[offset + k] = leaf[i * width + k] as number;
          offset += width;
        }
        said.forEach((values, s) => void (statistics[s] = values[i] as number));
        const kept = keep();
        if (kept !== undefined) await kept;
      }
    } catch (error) {
      disposeTree(next);
      throw error;
    } finally {
      disposeTree(positions);
      disposeTree(info);
    }
    if (step < base + count) {
      disposeTree(next);
      return;
    }
    disposeTree(state);
    state = next;
    base = step;
    if (tuner !== undefined && step <= warmup)
      state = await tuner.update(state, position, statistics[names.indexOf('acceptance')] as number, step);
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
      while (step < to) {
        const begun = performance.now();
        const phase = step < warmup ? 'warmup' : 'sampling';
        await runBlock(tunable && base < warmup ? 1 : length, keys.transition(base));
        seconds[phase] += (performance.now() - begun) / 1000;
      }
    },
    take: buffer.take,
    async save() {
      await flatTree(state.position, position);
      return {
        step,
        arrays: {
          ...(await stateArrays(state)),
          ...(tuner?.save() ?? {}),
          logDensity: Float64Array.of(await density.evaluate(position, new Float64Array(size))),
          counts: Float64Array.of(base, tries, divergences, warmupDivergences, seconds.warmup, seconds.sampling),
          window: window.values.slice(),
        },
        record: chain.record(),
      };
    },
    record(): ChainRecord {
      return {
        step,
        ...(tuner?.record() ?? {}),
        startTries: tries,
        divergences: { warmup: warmupDivergences, sampling: divergences - warmupDivergences },
        seconds: { ...seconds },
      };
    },
    async dispose() {
      disposeTree(state);
    },
  };
  return chain;
}

/** The values of all leaves. */
const numbersOf = (tree: Tree): Promise<ArrayLike<number>[]> => Promise.all(treeLeaves(tree).map((leaf) => leaf.data()));
