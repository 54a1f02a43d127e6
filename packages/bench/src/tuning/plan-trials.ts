import { type ConfigSources, type MethodName, type Overrides, type RunConfig, resolveConfig } from '../config/index.js';
import { checkMethod } from '../methods/index.js';
import { drawTrial, openSpace } from './draw-trial.js';
import type { SelectionData } from './selection-data.js';
import { type SearchSpace, searchSpaces } from './spaces.js';

/** One trial before it is run. */
export interface TrialPlan {
  readonly index: number;
  /** Values of the searched settings. */
  readonly settings: Overrides;
  /** A complete configuration with them, as it would be run in earnest. */
  readonly config: RunConfig;
}

/** The search of one method before it is run. */
export interface TuningPlan {
  readonly method: MethodName;
  readonly space: SearchSpace;
  readonly trials: readonly TrialPlan[];
}

interface PlanOptions {
  readonly sources: ConfigSources;
  readonly method: MethodName;
  readonly trials: number;
  readonly data: SelectionData;
}

/**
 * Draws the trials of a method; trial 0 is the method's own preset. Settings that a file or a flag gives are held fixed.
 *
 * @throws ConfigError for settings that do not fit each other or the data, of any trial, before any is run.
 */
export function planTrials({ sources, method, trials, data }: PlanOptions): TuningPlan {
  const given = { ...sources.file?.values, ...sources.flags };
  const space = openSpace(searchSpaces[method], given);
  const settle = (drawn: Overrides): RunConfig => resolveConfig({ ...sources, flags: { ...sources.flags, ...drawn, method } });
  const base = settle({});
  return {
    method,
    space,
    trials: Array.from({ length: trials }, (_, index) => {
      const config = settle(drawTrial(space, base.seed, index));
      checkMethod(config, data);
      return { index, settings: Object.fromEntries(space.map(({ name }) => [name, config[name]])), config };
    }),
  };
}
