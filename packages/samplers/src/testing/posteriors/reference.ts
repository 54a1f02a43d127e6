import { ConfigError } from '@bpc/core';

/** What is known of one quantile: its probability, its value, and how many independent draws located it. */
export interface ReferenceQuantile {
  readonly probability: number;
  readonly value: number;
  readonly effectiveDraws: number;
}

/** What is known of one scalar quantity, with Monte Carlo standard errors. */
export interface ReferenceQuantity {
  /** As draws name it: `theta[2]`, indices from 0. */
  readonly name: string;
  readonly mean: number;
  readonly mcseMean: number;
  readonly standardDeviation: number;
  readonly mcseStandardDeviation: number;
  readonly quantiles: readonly ReferenceQuantile[];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `beta[1]` and `L[1,2]` to `beta[0]` and `L[0,1]`. */
const fromZero = (name: string): string => name.replace(/\d+(?=[\d,]*\]$)/g, (index) => String(Number(index) - 1));

/**
 * The quantities of a summary as it is stored with reference draws: for every name (indices from 1) `mean`, `sd`, `mcse_mean`,
 * `mcse_sd`, quantiles `q05`, `q50`, …, `ess_bulk` and `ess_tail`.
 *
 * The 5 % and 95 % quantiles were located by `ess_tail` draws, the others by `ess_bulk`.
 *
 * @throws ConfigError for anything else.
 * @example
 * ```ts
 * import { referenceQuantities } from '@bpc/samplers/testing';
 * const summary = { mu: { mean: 4.4, sd: 3.3, mcse_mean: 0.03, mcse_sd: 0.02, q50: 4.4, ess_bulk: 10_000, ess_tail: 9_700 } };
 * const [mu] = referenceQuantities(summary);
 * ```
 */
export function referenceQuantities(summary: unknown): ReferenceQuantity[] {
  if (!isRecord(summary)) throw new ConfigError('the summary is no record', "pass the field 'summary' of a reference");
  return Object.entries(summary).map(([name, statistics]) => {
    const get = (field: string): number => {
      const value = isRecord(statistics) ? statistics[field] : undefined;
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      throw new ConfigError(`the summary of '${name}' has no number '${field}'`, 'compute it from the reference draws');
    };
    const probabilities = Object.keys(isRecord(statistics) ? statistics : {}).flatMap((field) => {
      const digits = /^q(\d\d)$/.exec(field)?.[1];
      return digits === undefined ? [] : [digits];
    });
    return {
      name: fromZero(name),
      mean: get('mean'),
      mcseMean: get('mcse_mean'),
      standardDeviation: get('sd'),
      mcseStandardDeviation: get('mcse_sd'),
      quantiles: probabilities.map((digits) => ({
        probability: Number(digits) / 100,
        value: get(`q${digits}`),
        effectiveDraws: get(Number(digits) <= 5 || Number(digits) >= 95 ? 'ess_tail' : 'ess_bulk'),
      })),
    };
  });
}
