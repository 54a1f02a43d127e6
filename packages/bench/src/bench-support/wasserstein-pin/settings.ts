import { ConfigError } from '@bpc/core';
import { type RunConfig, resolveConfig } from '../../config/index.js';
import { parseOptions, positiveInteger, usageOf } from '../option-values.js';

/** What the user asked for. */
export interface PinSettings {
  /** Runs per side. */
  readonly seeds: number;
  /** The run that both sides make. */
  readonly config: RunConfig;
  readonly python: string;
}

const all = { seeds: '10', steps: '100', 'inner-steps': '10' };
const quick = { seeds: '2', steps: '4', 'inner-steps': '2' };

/**
 * Reads the words after `bpc bench wasserstein-pin`.
 *
 * The run is a Wasserstein run reduced until PyTorch makes ten of them in minutes: digits of 8×8 pixels, one image per class.
 * Everything that a run can have is in it: an augmentation with fresh parameters for each inner step, a learned step size,
 * momentum, and posterior draws at a temperature above 0.
 *
 * @throws ConfigError naming the option, the value and the remedy.
 */
export function pinSettings(args: readonly string[]): PinSettings {
  const text = { type: 'string' } as const;
  const options = { seeds: text, steps: text, 'inner-steps': text, python: text, quick: { type: 'boolean', default: false } } as const;
  const given = parseOptions({ args: [...args], options }, `${usageOf(all)} --python PATH --quick`);
  const values = { ...all, ...(given.quick ? quick : {}), ...given };
  const innerSteps = positiveInteger('inner-steps', values['inner-steps'], 10);
  const seeds = positiveInteger('seeds', values.seeds, 10);
  if (seeds < 2)
    throw new ConfigError(`--seeds is ${seeds}, expected 2 or more: an interval needs a spread`, 'pass for example --seeds 10');
  const steps = positiveInteger('steps', values.steps, 100);
  const config = resolveConfig({
    flags: {
      ...{ dataset: 'digits', method: 'bpc-w', ipc: 1, init: 'random', seeds, steps },
      ...{ innerSteps, stepSize: 0.05, stepSizeLearningRate: 1e-4, imageLearningRate: 30, momentum: 0.5 },
      ...{ augment: 'crop_scale_rotate', augmentDraws: innerSteps + 1, expertsPerStep: 1, epochsAhead: 1 },
      ...{ experts: given.quick ? 1 : 8, expertEpochs: given.quick ? 1 : 4, expertMomentum: 0 },
      evaluation: given.quick
        ? { chains: 1, steps: 10, draws: 2, thinning: 2, temperature: 1e-6 }
        : { chains: 3, steps: 200, draws: 3, thinning: 10, temperature: 1e-6 },
      // The last step's state is compared.
      checkpointEvery: steps,
      // The ceiling is no part of the comparison.
      full: { epochs: 1 },
    },
  });
  return { seeds, config, python: values.python ?? process.env['BPC_PYTHON'] ?? 'python3' };
}
