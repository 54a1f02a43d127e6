import { stringify } from 'yaml';
import type { RunConfig } from '../config/index.js';
import type { SelectionCriterion, TrialResult } from './tune-method.js';

/** How a search was run, for everybody who reads its result. */
export interface TuningRecord {
  readonly method: RunConfig['method'];
  readonly trials: number;
  readonly seeds: readonly number[];
  readonly select: SelectionCriterion;
}

// What belongs to the machine or to a run, not to a method.
const elsewhere = new Set(['runtime', 'threads', 'workers', 'seed', 'seeds', 'scoreOn']);

const inWords: Readonly<Record<SelectionCriterion, string>> = { accuracy: 'accuracy', nll: 'NLL' };

/** The search in one line: the number of trials stands with every result. */
export const tuningNote = ({ method, trials, seeds, select }: TuningRecord): string =>
  `${method}: the best of ${trials} ${trials === 1 ? 'trial' : 'trials'} × ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'} by ${inWords[select]} on validation images`;

/** A configuration file for `bpc learn --config` with the settings of the best trial. */
export function bestConfig(config: RunConfig, record: TuningRecord, { trial, accuracy, nll }: TrialResult): string {
  const settings = Object.fromEntries(Object.entries(config).filter(([name]) => !elsewhere.has(name)));
  const figures = `trial ${trial}, validation accuracy ${accuracy?.toFixed(4)}, NLL ${nll?.toFixed(4)}`;
  return `# ${tuningNote(record)}\n# ${figures}; a figure that settings were chosen by is no result\n${stringify(settings)}`;
}
