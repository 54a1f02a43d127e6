import { readFileSync } from 'node:fs';
import { ConfigError } from '@bpc/core';

/** Rows of numbers with what they explain. */
export type Regression = { readonly X: readonly (readonly number[])[]; readonly y: readonly number[] };

type Json = Readonly<Record<string, unknown>>;

/**
 * A data set of posteriordb, from the repository: the package does not carry them.
 *
 * @throws ConfigError outside of the repository.
 */
function posterior(name: string): Json {
  const file = new URL(`../../../../../tooling/fixtures/posteriordb/${name}/data.json`, import.meta.url);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Json;
  } catch (cause) {
    throw new ConfigError(`the data of ${name} are not here`, 'run this bench in a clone of the repository, or leave the model out', {
      cause,
    });
  }
}

function column(data: Json, name: string): number[] {
  const values = data[name];
  if (!Array.isArray(values)) throw new ConfigError(`the data have no column '${name}'`, 'restore tooling/fixtures from the repository');
  return values.map(Number);
}

/** Effects of coaching in eight schools, with their standard errors. */
export function schoolsData(): { readonly y: number[]; readonly sigma: number[] } {
  const data = posterior('eight_schools-eight_schools_noncentered');
  return { y: column(data, 'y'), sigma: column(data, 'sigma') };
}

/** An autoregression of order 5 as a regression on the five values before. */
export function arData(): Regression {
  const y = column(posterior('arK-arK'), 'y');
  const order = 5;
  const times = Array.from({ length: y.length - order }, (_, i) => i + order);
  return { X: times.map((t) => [1, ...y.slice(t - order, t).reverse()]), y: y.slice(order) };
}

/** Test scores of children on their mothers' schooling and intelligence, with interaction. */
export function kidIqData(): Regression {
  const data = posterior('kidiq-kidscore_interaction');
  const [school, iq] = [column(data, 'mom_hs'), column(data, 'mom_iq')];
  return { X: school.map((s, i) => [1, s, iq[i] ?? 0, s * (iq[i] ?? 0)]), y: column(data, 'kid_score') };
}

/** Labels drawn from a logistic regression with normal data. Representable in float32, so that all see the same numbers. */
export function logisticData(rows: number, width: number): Regression {
  let state = 12345;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const X = Array.from({ length: rows }, () => Array.from({ length: width }, () => Math.fround(normal())));
  const weights = Array.from({ length: width }, normal);
  const y = X.map((row) => {
    const z = row.reduce((sum, x, j) => sum + x * (weights[j] ?? 0), 0);
    return uniform() < 1 / (1 + Math.exp(-z)) ? 1 : 0;
  });
  return { X, y };
}
