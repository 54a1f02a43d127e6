import { ConfigError, ShapeError } from '@bpc/core';
import { type Draws, type Series, series } from '../draws.js';
import { checkProbability } from './quantile.js';
import { type SummaryRow, summaryRow } from './summary-row.js';
import { summaryTable } from './summary-table.js';
import { type SummaryWarning, summaryWarnings } from './summary-warnings.js';

export interface SummaryOptions {
  /** Quantiles to report. Default 0.05, 0.5 and 0.95: median and ends of the central 90 %. */
  readonly probabilities?: readonly number[];
  /** Variables (`theta`) or single quantities (`theta[2]`) to report. Default: all. */
  readonly names?: readonly string[];
}

/** The numbers and warnings of a summary, plain data. */
export interface SummaryData {
  readonly chains: number;
  /** Draws per chain. */
  readonly length: number;
  readonly probabilities: readonly number[];
  readonly rows: readonly SummaryRow[];
  readonly warnings: readonly SummaryWarning[];
}

/** A summary: `String(summary)` is the table, `JSON.stringify(summary)` its numbers (NaN becomes null). */
export interface Summary extends SummaryData {
  toString(): string;
  toJSON(): SummaryData;
}

/** Draws of a sampler, or chains by name from anywhere. */
export type Summarised = Draws | { readonly [name: string]: readonly Float64Array[] };

const isDraws = (input: Summarised): input is Draws => Array.isArray(input['variables']) && typeof input['chains'] === 'number';

function chosen(all: readonly Series[], names: readonly string[] | undefined): readonly Series[] {
  if (names === undefined) return all;
  return names.flatMap((name) => {
    const found = all.filter((each) => each.name === name || each.name.startsWith(`${name}[`));
    if (found.length > 0) return found;
    throw new ConfigError(`names has '${name}', which was not drawn`, `choose from ${all.map((each) => each.name).join(', ')}`);
  });
}

/** A run that was not collected, or anything else that has no chains, would fail somewhere inside. */
function checkChains(input: Exclude<Summarised, Draws>): void {
  for (const [name, chains] of Object.entries<unknown>(input)) {
    if (Array.isArray(chains) && chains.every((chain) => chain instanceof Float64Array)) continue;
    throw new ConfigError(
      `'${name}' is no list of chains (Float64Array)`,
      'pass draws, await sample(…).collect(), or { name: [chain, …] }',
    );
  }
}

/**
 * Means, spreads, quantiles, Monte Carlo errors and convergence of every quantity, with warnings in words: R-hat above 1.01,
 * bulk or tail ESS below 100 per chain, divergences and where they are, trajectories cut at the largest tree depth, E-BFMI
 * below 0.3, runs that were stopped, quantities that never change or are not finite.
 *
 * @param input draws, or chains by name; warnings about the sampler need draws.
 * @throws ConfigError for a probability outside (0, 1), an unknown name or what is no chain; ShapeError for chains of unequal lengths.
 * @example
 * ```ts
 * import { summary } from '@bpc/samplers';
 * const chain = (c: number) => Float64Array.from({ length: 1000 }, (_, i) => Math.sin(c + i * i));
 * console.log(String(summary({ x: [chain(1), chain(2), chain(3), chain(4)] })));
 * ```
 */
export function summary(input: Summarised, options: SummaryOptions = {}): Summary {
  const { probabilities = [0.05, 0.5, 0.95], names } = options;
  for (const p of probabilities) checkProbability(p, 'probabilities has an entry that');
  const draws = isDraws(input) ? input : undefined;
  if (!isDraws(input)) checkChains(input);
  const all = isDraws(input) ? series(input) : Object.entries(input).map(([name, chains]) => ({ name, chains }));
  const quantities = chosen(all, names);
  const [chains, length] = draws ? [draws.chains, draws.length] : [all[0]?.chains.length ?? 0, all[0]?.chains[0]?.length ?? 0];
  const odd = all.find((each) => each.chains.length !== chains || each.chains.some((chain) => chain.length !== length));
  if (odd !== undefined) {
    throw new ShapeError(
      `'${odd.name}' has other chains than the first quantity, ${chains} of ${length} draws`,
      'summarise quantities of the same draws together',
    );
  }
  const rows = quantities.map((quantity) => summaryRow(quantity, probabilities));
  const data = { chains, length, probabilities, rows, warnings: summaryWarnings(rows, chains, draws) };
  return { ...data, toString: () => summaryTable(data), toJSON: () => data };
}
