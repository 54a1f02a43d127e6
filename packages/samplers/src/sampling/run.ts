import { type Metadata, progressReporter } from '@bpc/core';
import type { ChainRecord, Chunk, SavedChain } from './chain.js';
import type { CheckedOptions } from './check-options.js';
import { type DrawsCheckpoint, drawsCheckpoint } from './draws-checkpoint.js';
import type { Layout } from './layout.js';
import { openSession } from './open-session.js';
import type { SampleOptions, SamplingInfo } from './options.js';
import { provenance } from './provenance.js';
import type { Rows } from './rows.js';
import { totalSteps } from './settings.js';

/** What a run tells those who keep its draws. */
export type RunEvent =
  | { readonly kind: 'begin'; readonly layout: Layout; readonly statistics: readonly string[] }
  | { readonly kind: 'rows'; readonly rows: readonly { readonly chain: number; readonly rows: Rows }[] }
  | { readonly kind: 'end'; readonly interrupted: boolean; readonly provenance: Metadata; readonly steps: number };

/** Seconds between two saves, unless the user counts in transitions. */
const SAVE_SECONDS = 5;

/** Opens the chains, advances them to the end or an abort, reports, and saves. */
export async function* runSampling(
  options: SampleOptions,
  { settings, factory, key, checkpoint }: CheckedOptions,
): AsyncGenerator<RunEvent, void, void> {
  const begun = performance.now();
  const since = (): number => (performance.now() - begun) / 1000;
  const total = totalSteps(settings);
  const signal = options.signal ?? new AbortController().signal;
  const session = await openSession(options, settings, factory);
  let saver: DrawsCheckpoint | undefined;
  try {
    const { layout, statistics, environment } = session;
    const prepare = since();
    saver = checkpoint && drawsCheckpoint(checkpoint, { key, settings, layout, statistics, environment, program: session.program });
    const loaded = await saver?.load();
    yield { kind: 'begin', layout, statistics };
    if (loaded !== undefined) yield { kind: 'rows', rows: loaded.rows };

    const saved: ReadonlyMap<number, SavedChain> = loaded?.chains ?? new Map();
    const steps = Float64Array.from({ length: settings.chains }, (_, c) => saved.get(c)?.step ?? 0);
    const divergences = new Float64Array(settings.chains);
    const records = Array.from({ length: settings.chains }, (_, c): ChainRecord | undefined => saved.get(c)?.record);
    const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
    const report = progressReporter<SamplingInfo>({
      onProgress: options.onProgress,
      total: total * settings.chains,
      start: sum(steps),
      interval: options.progressInterval,
    });
    const note = ({ chain, step, divergences: count, record }: Chunk): void => {
      steps[chain] = step;
      divergences[chain] = count;
      records[chain] = record ?? records[chain];
    };
    if (steps.some((step) => step < total)) {
      const plan = checkpoint && { every: checkpoint.every, seconds: SAVE_SECONDS };
      for await (const chunks of session.run({ saved, allowInexact: checkpoint?.allowInexact ?? false, plan, signal })) {
        const before = sum(steps);
        for (const chunk of chunks) note(chunk);
        await saver?.add(chunks);
        const after = sum(steps);
        if (after > before) report(after, { warmup: steps.some((step) => step < settings.warmup), divergences: sum(divergences) });
        yield { kind: 'rows', rows: chunks };
      }
    }
    await saver?.flush();
    yield {
      kind: 'end',
      interrupted: steps.some((step) => step < total),
      steps: sum(steps),
      provenance: provenance(settings, layout, environment, records, { prepare, total: since() }),
    };
  } finally {
    // What is being written when something else fails is written to its end; its own failure is not what matters then.
    await saver?.flush().catch(() => undefined);
    await session.dispose();
  }
}
