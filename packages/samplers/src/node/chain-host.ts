import { canonicalJson, type Json } from '@bpc/core';
import { errorToWire } from '@bpc/core/node';
import type { Chunk } from '../sampling/chain.js';
import { type LoadedModel, loadModel } from '../sampling/load-model.js';
import type { SamplerKind } from '../sampling/make-chains.js';
import { localSession, type Session } from '../sampling/session.js';
import type { RemoteModel } from '../sampling/worker-pool.js';
import type { FromWorker, ToWorker } from './protocol.js';

/** Lists of chunks that a thread may be ahead of the one that takes them: enough to never wait for each other. */
const AHEAD = 8;

/** Sends a message, moving the arrays in `transfer`. */
export type Send = (message: FromWorker, transfer?: readonly ArrayBuffer[]) => void;

interface Group {
  readonly abort: AbortController;
  session: Session | undefined;
  ahead: number;
  wake: () => void;
  /** Settles when the group does nothing any more. */
  work: Promise<void>;
}

/** The arrays of chunks, which nobody here needs any more. */
const arraysOf = (chunks: readonly Chunk[]): ArrayBuffer[] =>
  chunks.flatMap(({ rows: { unconstrained, values, statistics } }) =>
    [unconstrained, values, statistics]
      .map(({ buffer }) => buffer)
      .filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer),
  );

/** What a thread does with its messages: opens and advances groups of chains, and keeps compiled models for the next ones. */
export function chainHost(send: Send): { receive(message: ToWorker): void } {
  const groups = new Map<number, Group>();
  const models = new Map<string, Promise<LoadedModel>>();

  const modelOf = (model: RemoteModel): Promise<LoadedModel> => {
    const name = canonicalJson([model.module, model.export, model.options ?? null] satisfies Json);
    const kept = models.get(name);
    if (kept !== undefined) return kept;
    const loaded = loadModel(model);
    models.set(name, loaded);
    loaded.catch(() => models.delete(name));
    return loaded;
  };

  const fail = (id: number, error: unknown): void => send({ kind: 'error', id, error: errorToWire(error) });

  const open = async ({ id, model, settings, chains }: Extract<ToWorker, { kind: 'open' }>, group: Group): Promise<void> => {
    const loaded = await modelOf(model);
    const { algorithm } = settings;
    const sampler: SamplerKind =
      typeof algorithm === 'object' ? { kind: 'algorithm', factory: loaded.factory(algorithm.export) } : { kind: 'nuts' };
    const session = await localSession({ prepared: loaded.prepared, owned: false, sampler, settings, chains });
    group.session = session;
    const { layout, statistics, environment, program } = session;
    send({ kind: 'opened', id, opened: { layout, statistics, environment, program } });
  };

  const run = async ({ id, saved, allowInexact, plan }: Extract<ToWorker, { kind: 'run' }>, group: Group): Promise<void> => {
    const { session, abort } = group;
    if (session === undefined) return;
    for await (const chunks of session.run({ saved, allowInexact, plan, signal: abort.signal })) {
      send({ kind: 'chunks', id, chunks }, arraysOf(chunks));
      group.ahead += 1;
      if (group.ahead <= AHEAD || abort.signal.aborted) continue;
      await new Promise<void>((resolve) => {
        group.wake = resolve;
      });
    }
    send({ kind: 'done', id });
  };

  const close = async (): Promise<void> => {
    const open = [...groups.values()];
    for (const { abort, wake } of open) {
      abort.abort();
      wake();
    }
    await Promise.all(open.map(({ work }) => work));
    for (const model of await Promise.allSettled(models.values())) {
      if (model.status === 'fulfilled') await model.value.prepared.dispose().catch(() => undefined);
    }
    send({ kind: 'closed' });
  };

  return {
    receive(message) {
      if (message.kind === 'close') {
        void close();
        return;
      }
      if (message.kind === 'open') {
        const group: Group = { abort: new AbortController(), session: undefined, ahead: 0, wake: () => undefined, work: Promise.resolve() };
        groups.set(message.id, group);
        group.work = open(message, group).catch((error: unknown) => fail(message.id, error));
        return;
      }
      const group = groups.get(message.id);
      if (group === undefined) return;
      switch (message.kind) {
        case 'run':
          group.work = run(message, group).catch((error: unknown) => fail(message.id, error));
          return;
        case 'taken':
          group.ahead -= 1;
          group.wake();
          return;
        case 'abort':
          group.abort.abort();
          group.wake();
          return;
        case 'forget':
          groups.delete(message.id);
          return;
        default:
          message satisfies never;
      }
    },
  };
}
