import type { Metadata } from '@bpc/core';
import type { ErrorWire } from '@bpc/core/node';
import type { Chunk, SavedChain } from '../sampling/chain.js';
import type { SavePlan } from '../sampling/chain-group.js';
import type { Layout } from '../sampling/layout.js';
import type { Settings } from '../sampling/settings.js';
import type { RemoteModel } from '../sampling/worker-pool.js';

/** What a thread says about the chains it opened. */
export interface Opened {
  readonly layout: Layout;
  readonly statistics: readonly string[];
  readonly environment: Metadata;
  readonly program: string;
}

/** Main thread to worker; `id` names one group of chains. */
export type ToWorker =
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly model: RemoteModel;
      readonly settings: Settings;
      readonly chains: readonly number[];
    }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly saved: ReadonlyMap<number, SavedChain>;
      readonly allowInexact: boolean;
      readonly plan: SavePlan | undefined;
    }
  /** A list of chunks was taken: the worker may be ahead by a few only. */
  | { readonly kind: 'taken'; readonly id: number }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'forget'; readonly id: number }
  | { readonly kind: 'close' };

/** Worker to main thread. */
export type FromWorker =
  | { readonly kind: 'opened'; readonly id: number; readonly opened: Opened }
  | { readonly kind: 'chunks'; readonly id: number; readonly chunks: readonly Chunk[] }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorWire }
  | { readonly kind: 'closed' };
