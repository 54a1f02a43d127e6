import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { networkTitle } from '../experts/network.js';
import type { CostMeter } from '../learning/phases.js';
import { inferenceNote } from '../learning/run-results.js';
import { packageVersions } from '../runtime-choice/index.js';
import type { Cells } from './cells.js';
import { findings } from './findings.js';
import { compareCells } from './statistics/compare-cells.js';
import { confidenceLevel } from './statistics/interval.js';
import type { CellResult, TableResults } from './table-results.js';
import type { TableConfig } from './table-schema.js';

interface ResultsOptions {
  readonly table: TableConfig;
  readonly cells: Cells;
  readonly results: readonly CellResult[];
  readonly meter: Pick<CostMeter, 'cost'>;
  readonly runtime: string;
  readonly workers: number;
  readonly threads: number;
}

// What differences are worked out for: more metrics would only make more hypotheses.
const compared = ['accuracy', 'nll'] as const;

/** What cells have in common: network, and how coresets predict. */
function notes({ possible }: Cells): string[] {
  const said = new Map<string, string[]>();
  const say = (text: string, about: string) => said.set(text, [...(said.get(text) ?? []), about]);
  for (const about of new Set(possible.map(({ dataset, ipc }) => `${dataset}/${ipc}`))) {
    const config = possible.find(({ dataset, ipc }) => `${dataset}/${ipc}` === about)?.config;
    if (config === undefined) continue;
    const inference =
      config.evaluation.protocol === 'point-estimate' ? 'point estimates' : config.evaluation.temperature > 0 ? 'posterior' : 'ensemble';
    say(`${networkTitle(config)}; ${inferenceNote(inference, config.evaluation, [Float32Array.of(1)])}`, about);
  }
  return [...said].map(([text, about]) => `${about.join(', ')}: ${text}.`);
}

/** The title when the file gives none. */
const defaultTitle = ({ datasets, ipc, methods }: TableConfig): string =>
  `${methods.join(', ')} on ${datasets.join(', ')} with ${ipc.join(', ')} ${ipc.length === 1 && ipc[0] === 1 ? 'image' : 'images'} per class`;

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** Everything that a table shows, from its cells. */
export function tableResults({ table, cells, results, meter, runtime, workers, threads }: ResultsOptions): TableResults {
  const shown = table.metrics.filter((metric) => results.some((cell) => cell.metrics[metric] !== undefined));
  const comparisons = compareCells(results, compared);
  const { seconds, threadSeconds, peakRssMb } = meter.cost();
  const wall = Object.values(seconds).reduce((a, b) => a + b, 0);
  return {
    format: 1,
    title: table.title ?? defaultTitle(table),
    scoredOn: table.scoreOn,
    level: confidenceLevel,
    shown: shown.length === 0 ? [...table.metrics] : shown,
    cells: [...results],
    comparisons,
    findings: findings(results, comparisons, compared),
    notes: notes(cells),
    trials: table.trials,
    environment: {
      runtime,
      workers,
      'threads per worker': threads,
      processor: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} usable cores`,
      memory: gib(totalmem()),
      system: `${type()} ${release()}`,
      node: process.version,
      versions: packageVersions(),
      'wall seconds': Math.round(wall),
      'wall seconds by data set': { ...seconds },
      'thread seconds by kind of work': { ...threadSeconds },
      'peak memory, MB': peakRssMb,
    },
    config: JSON.parse(JSON.stringify(table)),
  };
}
