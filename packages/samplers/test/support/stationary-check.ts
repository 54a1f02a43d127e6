import './backend.js';
import { type Algorithm, key, type Tree } from '@bpc/core';
import { expectStationary, type SimulateOptions, simulate } from '@bpc/samplers/testing';
import { type Tensor, zeros } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { Law } from './stationary-law.js';

export type Positioned = Tree & { readonly position: Tensor };
export type Sampler<S extends Positioned> = Algorithm<Tensor, S, Tree>;

/** Draws of one quantity, all chains together, against a law: the one function that also must reject the negative controls. */
export function check(
  name: string,
  chains: readonly Float64Array[],
  { mean, variance }: Pick<Law, 'mean' | 'variance'>,
  above?: Law['above'],
): void {
  const sd = Math.sqrt(variance);
  const tail = (sign: 1 | -1) => ({
    name: sign > 0 ? 'upper tail' : 'lower tail',
    of: (x: number) => (x > mean + sign * 1.5 * sd ? 1 : 0),
    expected: above?.(mean + sign * 1.5 * sd) ?? 0,
  });
  const found = expectStationary({ name, chains, mean, variance, statistics: above ? [tail(1), tail(-1)] : [] });
  expect(Math.min(...found.map(({ ess }) => ess))).toBeGreaterThanOrEqual(1e4);
}

/** P(x > t) of a normal law, by quadrature. */
export const normalAbove = (mean: number, variance: number) => (threshold: number) => {
  const [z, steps, end] = [(threshold - mean) / Math.sqrt(variance), 4000, 10];
  const h = (end - z) / steps;
  let total = 0;
  for (let i = 0; i < steps; i++) total += Math.exp(-0.5 * (z + (i + 0.5) * h) ** 2);
  return (total * h) / Math.sqrt(2 * Math.PI);
};

export const CHAINS = 2000;
/** Many independent chains on the line as one tensor, for samplers that accept everything. */
export const many = <S extends Positioned>(sampler: Sampler<S>, more: Partial<SimulateOptions<Tensor, S>> = {}) =>
  simulate(sampler, { position: zeros([CHAINS]) as Tensor, key: key(101), draws: 30, thin: 15, warmup: 20, ...more });
/** One chain, for samplers that accept or reject. */
export const one = <S extends Positioned>(sampler: Sampler<S>, size: number, more: Partial<SimulateOptions<Tensor, S>> = {}) =>
  simulate(sampler, { position: zeros([size]) as Tensor, key: key(102), draws: 60_000, warmup: 500, ...more });
