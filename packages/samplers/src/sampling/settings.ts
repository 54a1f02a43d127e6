import type { Metric } from '../nuts/metric.js';

/** What the mass matrix is adapted to: nothing, a variance per unconstrained parameter, or their covariance. */
export type MetricKind = Metric['kind'];

/** Rows of the data that each step of a stochastic-gradient sampler sees. */
export interface Minibatch {
  /** Rows (axis 0 of every leaf of `data`) per step, drawn without replacement, anew in every step. */
  readonly size: number;
}

/** A run's options once checked, with defaults filled in: plain data that another thread can be sent. */
export interface Settings {
  readonly chains: number;
  /** Transitions before the first draw. */
  readonly warmup: number;
  /** Draws kept per chain. */
  readonly draws: number;
  /** Transitions per kept draw. */
  readonly thin: number;
  /** `keyToString` of the run's key. */
  readonly key: string;
  /** `'nuts'`, or what makes a tensor algorithm: `'factory'`, given in this thread, or an export of the model's module. */
  readonly algorithm: 'nuts' | 'factory' | { readonly export: string };
  readonly targetAcceptance: number;
  /** A kind to adapt, or a metric that stays as it is. */
  readonly metric: MetricKind | Metric;
  readonly maxDepth: number;
  readonly stepSize: number | undefined;
  readonly temperature: number;
  readonly keepWarmup: boolean;
  readonly blockSize: number | undefined;
  readonly minibatch: Minibatch | undefined;
  /** As the user gave it: for all chains, or a list with one per chain. */
  readonly start: unknown;
}

/** Transitions of a chain, warm-up included. */
export const totalSteps = ({ warmup, draws, thin }: Settings): number => warmup + draws * thin;

/** Rows that a chain has kept after `step` transitions, of the warm-up (if it is kept) and of the draws. */
export function keptRows({ warmup, thin, keepWarmup }: Settings, step: number): { readonly warmup: number; readonly draws: number } {
  return {
    warmup: keepWarmup ? Math.floor(Math.min(step, warmup) / thin) : 0,
    draws: Math.floor(Math.max(0, step - warmup) / thin),
  };
}

/** Whether the state after `step` transitions is kept. */
export function isKept({ warmup, thin, keepWarmup }: Settings, step: number): boolean {
  return step > warmup ? (step - warmup) % thin === 0 : keepWarmup && step % thin === 0;
}
