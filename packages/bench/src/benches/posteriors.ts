import { cpus } from 'node:os';
import { jsRuntime } from '@bpc/compiler';
import { key } from '@bpc/core';
import { sample } from '@bpc/samplers';
import { checkPosterior, type PosteriorCheck, type ReferencePosteriorName } from '@bpc/samplers/testing';
import type { BenchRatio, BenchResult, BenchRow } from '../bench-support/bench-result.js';
import { loadMeter } from '../bench-support/load.js';
import { type PosteriorSettings, posteriorSettings } from '../bench-support/posteriors/settings.js';
import { type StoredPosterior, storedPosterior } from '../bench-support/posteriors/stored-posterior.js';
import type { CommandContext } from '../cli/context.js';
import { textTable } from '../cli/text-table.js';
import { packageVersions } from '../runtime-choice/environment.js';

/** A posterior's row: seconds, and what `checkPosterior` found. */
export interface PosteriorRow extends BenchRow {
  readonly chains: number;
  /** Per chain. */
  readonly draws: number;
  readonly minimumBulkEss: number;
  readonly minimumTailEss: number;
  readonly maximumRhat: number;
  /** Comparisons with the reference, and the largest |z| of each kind. */
  readonly comparisons: number;
  readonly maximumZ: { readonly mean: number; readonly standardDeviation: number; readonly quantile: number };
  readonly divergentPercent: number;
  readonly leapfrogSteps: number;
  /** In words; none if the posterior was reproduced. */
  readonly problems: readonly string[];
}

/** The limits of `checkPosterior`, as goals. */
const GOALS = { mean: 4.5, standardDeviation: 6, quantile: 4.5, divergentPercent: 0.1 };

/** What a table says about a check. */
export function posteriorRow(name: string, { draws, comparison, divergent, problems, seconds }: PosteriorCheck): PosteriorRow {
  const { maximum } = comparison;
  return {
    case: name,
    subject: 'nuts',
    unit: 's',
    median: seconds,
    repeats: 1,
    chains: draws.chains,
    draws: draws.length,
    minimumBulkEss: comparison.minimumBulkEss,
    minimumTailEss: comparison.minimumTailEss,
    maximumRhat: comparison.maximumRhat,
    comparisons: comparison.statistics.length,
    maximumZ: { mean: maximum.mean, standardDeviation: maximum['standard deviation'], quantile: maximum.quantile },
    divergentPercent: 100 * divergent,
    leapfrogSteps: draws.statistics['leapfrogSteps']?.reduce((sum, steps) => sum + steps, 0) ?? 0,
    problems,
  };
}

/** The largest figures of all posteriors, with what they should not exceed. */
export function posteriorRatios(rows: readonly PosteriorRow[]): BenchRatio[] {
  const largest = (of: (row: PosteriorRow) => number) => Math.max(...rows.map(of));
  const total = rows.reduce((sum, { comparisons }) => sum + comparisons, 0);
  return [
    { name: `largest |z| of means, of ${total} comparisons`, value: largest((row) => row.maximumZ.mean), goal: GOALS.mean },
    {
      name: 'largest |z| of standard deviations',
      value: largest((row) => row.maximumZ.standardDeviation),
      goal: GOALS.standardDeviation,
    },
    { name: 'largest |z| of quantiles', value: largest((row) => row.maximumZ.quantile), goal: GOALS.quantile },
    { name: 'largest share of divergences, %', value: largest((row) => row.divergentPercent), goal: GOALS.divergentPercent },
    { name: 'posteriors that fail', value: rows.filter(({ problems }) => problems.length > 0).length, goal: 0 },
  ];
}

function table(rows: readonly PosteriorRow[]): string {
  const header = [
    'posterior',
    'draws',
    'bulk ESS',
    'tail ESS',
    'R-hat',
    '|z| mean',
    '|z| sd',
    '|z| quantile',
    'divergent %',
    'gradients',
    's',
    '',
  ];
  return textTable(
    header,
    rows.map((row) => [
      row.case,
      `${row.chains}×${row.draws}`,
      row.minimumBulkEss.toFixed(0),
      row.minimumTailEss.toFixed(0),
      row.maximumRhat.toFixed(4),
      row.maximumZ.mean.toFixed(2),
      row.maximumZ.standardDeviation.toFixed(2),
      row.maximumZ.quantile.toFixed(2),
      row.divergentPercent.toFixed(3),
      row.leapfrogSteps.toFixed(0),
      (row.median ?? Number.NaN).toFixed(2),
      row.problems.length === 0 ? 'reproduced' : row.problems.join('; '),
    ]),
  );
}

async function measure(
  name: ReferencePosteriorName,
  { target, reference }: StoredPosterior,
  settings: PosteriorSettings,
  context: CommandContext,
): Promise<PosteriorRow> {
  const { chains, warmup, targetAcceptance } = settings;
  const runtime = jsRuntime();
  try {
    const check = await checkPosterior({
      reference,
      draws: settings.draws,
      collect: (draws) =>
        sample({ ...target, chains, warmup, draws, targetAcceptance, key: key(settings.seed), runtime, signal: context.signal }).collect(),
    });
    return posteriorRow(name, check);
  } finally {
    await runtime.dispose();
  }
}

/**
 * `bpc bench posteriors`: whether NUTS reproduces posteriordb's reference posteriors, each run lengthened until every quantity
 * has 1000 effective draws; seconds are those of the last run, compilation included.
 */
export async function run(context: CommandContext, args: readonly string[]): Promise<void> {
  const settings = posteriorSettings(args);
  const stored = settings.posteriors.map((name) => [name, storedPosterior(settings.folder, name)] as const);
  context.beginWork();
  const load = loadMeter();
  const rows: PosteriorRow[] = [];
  for (const [name, posterior] of stored) {
    rows.push(await measure(name, posterior, settings, context));
    load.note(name);
  }
  const ratios = posteriorRatios(rows);
  const environment = {
    node: process.version,
    processor: cpus()[0]?.model.trim(),
    cores: cpus().length,
    load: load.record(),
    versions: packageVersions(),
    settings: { ...settings, folder: undefined },
  };
  const result: BenchResult = { bench: 'posteriors', rows, ratios, environment };
  const goals = textTable(
    ['over all posteriors', 'value', 'goal', ''],
    ratios.map(({ name, value, goal = 0 }) => [name, value.toFixed(2), `≤ ${goal}`, value <= goal ? 'met' : 'missed']),
  );
  context.print(context.json ? `${JSON.stringify(result)}\n` : `${table(rows)}\n\n${goals}\n`);
}
