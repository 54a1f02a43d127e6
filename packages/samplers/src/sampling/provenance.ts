import { hostEnvironment, type Metadata } from '@bpc/core';
import { VERSION } from '../version.js';
import type { ChainRecord } from './chain.js';
import type { Layout } from './layout.js';
import type { Settings } from './settings.js';

/** Settings as JSON, without the key and the start, which have entries of their own. */
export function settingsRecord({ key, start, metric, ...rest }: Settings): Metadata {
  // What only nuts has says nothing about others.
  const foreign = rest.algorithm === 'nuts' ? [] : ['maxDepth', 'temperature'];
  const defined = Object.entries({ ...rest }).filter(([name, value]) => value !== undefined && !foreign.includes(name));
  const { algorithm, minibatch, ...numbers }: Record<string, unknown> = Object.fromEntries(defined);
  return {
    ...(numbers as Metadata),
    algorithm: algorithm as string,
    ...(minibatch === undefined ? {} : { minibatch: minibatch as Metadata }),
    metric: typeof metric === 'string' ? metric : { kind: metric.kind, inverseMass: Array.from(metric.inverseMass) },
  };
}

/** What made a run's draws. */
export function provenance(
  settings: Settings,
  layout: Layout,
  environment: Metadata,
  chains: readonly (ChainRecord | undefined)[],
  seconds: { readonly prepare: number; readonly total: number },
): Metadata {
  return {
    version: VERSION,
    algorithm: settings.algorithm === 'factory' ? 'custom' : settings.algorithm,
    settings: settingsRecord(settings),
    key: settings.key,
    /** What the columns of `unconstrained` are. */
    unconstrained: layout.unconstrained.map(({ name, shape }) => ({ name, shape: [...shape] })),
    chains: chains.map((record) => record ?? null),
    runtime: environment,
    host: hostEnvironment(),
    seconds,
  };
}
