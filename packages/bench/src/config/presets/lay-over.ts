import type { Preset, PresetPatch } from '../defaults.js';

/** Settings that hold from a number of images per class upwards; the last list entry that applies wins. */
export interface Settings {
  readonly all: PresetPatch;
  readonly from: readonly (readonly [ipc: number, patch: PresetPatch])[];
}

/** A patch over settings, section by section. */
export const layOver = (under: Preset, patch: PresetPatch): Preset => ({
  ...under,
  ...patch,
  evaluation: { ...under.evaluation, ...patch.evaluation },
  full: { ...under.full, ...patch.full },
});

/** Settings for a number of images per class, over others. */
export const applySettings = (under: Preset, { all, from }: Settings, ipc: number): Preset =>
  from.filter(([lowest]) => ipc >= lowest).reduce((below, [, patch]) => layOver(below, patch), layOver(under, all));
