import { defaultMethod, type Preset } from '../defaults.js';
import { type DatasetName, datasetNames, type MethodName, methodNames, type PresetName, presetNames } from '../schema.js';
import { paperPreset } from './paper.js';
import { isTuned, smallPreset, tunedAt } from './small.js';

/**
 * Where a preset's numbers come from: `tuned` on the validation split; `untuned` first guesses; `paper`, as printed, not run by
 * us.
 */
export type PresetOrigin = 'tuned' | 'untuned' | 'paper';

const small = (method: MethodName): PresetName => `small-${method}`;

/** The preset of a method when none is named. */
export const presetOf = small;

/** The method that a preset is for. */
export const methodOfPreset = (name: PresetName): MethodName => methodNames.find((method) => name.endsWith(`-${method}`)) ?? defaultMethod;

const isPaper = (name: PresetName): boolean => name.startsWith('paper-');

/** The settings of a preset on a data set at a number of images per class. */
export function namedPreset(name: PresetName, dataset: DatasetName, ipc: number): Preset {
  return (isPaper(name) ? paperPreset : smallPreset)(dataset, ipc, methodOfPreset(name));
}

/**
 * The settings of a method on a data set at a number of images per class, for networks that two cores train.
 *
 * @example
 * ```ts
 * import { preset } from '@bpc/bench';
 * console.log(preset('mnist', 10, 'bpc-w').innerSteps);
 * ```
 */
export const preset = (dataset: DatasetName, ipc: number, method: MethodName = defaultMethod): Preset => smallPreset(dataset, ipc, method);

/** Where the numbers of a preset come from on a data set at a number of images per class. */
export function presetOrigin(name: PresetName, dataset: DatasetName, ipc: number): PresetOrigin {
  if (isPaper(name)) return 'paper';
  return isTuned(methodOfPreset(name), dataset, ipc) ? 'tuned' : 'untuned';
}

/** The origin of a preset in words. */
export const originText: Readonly<Record<PresetOrigin, string>> = {
  tuned: 'tuned on validation',
  untuned: 'untuned, first guesses',
  paper: "the paper's settings, for a GPU; not run by us",
};

/** One line of `bpc presets`. */
export interface PresetSummary {
  readonly name: PresetName;
  readonly method: MethodName;
  readonly network: string;
  /** Data sets and images per class that it was tuned at. */
  readonly tuned: readonly { readonly dataset: DatasetName; readonly ipc: readonly number[] }[];
  readonly origin: string;
}

/** Every preset, in the order of the methods. */
export function listPresets(): PresetSummary[] {
  return presetNames.map((name) => {
    const method = methodOfPreset(name);
    const tuned = isPaper(name)
      ? []
      : datasetNames.map((dataset) => ({ dataset, ipc: tunedAt(method, dataset) })).filter(({ ipc }) => ipc.length > 0);
    const where = tuned.map(({ dataset, ipc }) => `${dataset} (${ipc.join(', ')} per class)`).join('; ');
    const origin = isPaper(name) ? originText.paper : where === '' ? originText.untuned : `tuned on ${where}; untuned elsewhere`;
    return { name, method, network: isPaper(name) ? 'ConvNet W128' : 'ConvNet W32', tuned, origin };
  });
}
