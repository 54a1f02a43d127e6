import { BpcError } from '@bpc/core';
import { errorFromWire } from '@bpc/core/node';
import type { Chunk } from '../sampling/chain.js';
import type { RunRequest, Session } from '../sampling/session.js';
import type { Settings } from '../sampling/settings.js';
import type { RemoteModel } from '../sampling/worker-pool.js';
import type { FromWorker, Opened } from './protocol.js';
import type { Thread } from './thread.js';

/** What arrives from a group of chains, one message after the other. */
interface Inbox {
  put(item: FromWorker | BpcError): void;
  take(): Promise<FromWorker | BpcError>;
}

function inbox(): Inbox {
  const items: (FromWorker | BpcError)[] = [];
  let wake: () => void = () => undefined;
  return {
    put(item) {
      items.push(item);
      wake();
    },
    async take() {
      for (;;) {
        const item = items.shift();
        if (item !== undefined) return item;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** The chains of a run that one thread advances. */
interface RemoteGroup {
  readonly thread: Thread;
  readonly id: number;
  readonly chains: readonly number[];
}

/** What a thread answers: a message of the group's, or an error thrown. */
async function answer(box: Inbox): Promise<FromWorker> {
  const item = await box.take();
  if (item instanceof BpcError) throw item;
  if (item.kind === 'error') throw errorFromWire(item.error);
  return item;
}

async function openGroup({ thread, id, chains }: RemoteGroup, model: RemoteModel, settings: Settings, box: Inbox): Promise<Opened> {
  thread.post({ kind: 'open', id, model, settings, chains }, { message: box.put, lost: box.put });
  const opened = await answer(box);
  if (opened.kind === 'opened') return opened.opened;
  throw new BpcError('WORKER', `a thread answered '${opened.kind}' instead of opening its chains`, 'report this');
}

/**
 * Opens the chains of a run in several threads at once.
 *
 * @throws what a thread throws while it imports the model, compiles it and checks the options against it.
 */
export async function remoteSession(groups: readonly RemoteGroup[], model: RemoteModel, settings: Settings): Promise<Session> {
  const boxes = groups.map(inbox);
  const forget = (): void => {
    for (const { thread, id } of groups) thread.forget(id);
  };
  const results = await Promise.allSettled(groups.map((group, g) => openGroup(group, model, settings, boxes[g] as Inbox)));
  const opened = results.map((result) => {
    if (result.status === 'fulfilled') return result.value;
    forget();
    throw result.reason;
  });
  const { layout, statistics, environment, program } = opened[0] as Opened;

  async function* run({ saved, allowInexact, plan, signal }: RunRequest): AsyncGenerator<readonly Chunk[], void, void> {
    const merged = inbox();
    const running = new Set(groups.map((_, g) => g));
    const failures: unknown[] = [];
    const stop = (): void => {
      for (const g of running) (groups[g] as RemoteGroup).thread.post({ kind: 'abort', id: (groups[g] as RemoteGroup).id });
    };
    const pump = async ({ thread, id, chains }: RemoteGroup, g: number): Promise<void> => {
      try {
        const own = new Map([...saved].filter(([chain]) => chains.includes(chain)));
        thread.post({ kind: 'run', id, saved: own, allowInexact, plan });
        for (;;) {
          const message = await answer(boxes[g] as Inbox);
          if (message.kind === 'done') return;
          merged.put(message);
        }
      } catch (error) {
        failures.push(error);
        running.delete(g);
        // The others would run to the end for nothing; what they have is handed over first.
        stop();
      } finally {
        running.delete(g);
        merged.put({ kind: 'done', id });
      }
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const pumps = groups.map(pump);
    try {
      for (let open = groups.length; open > 0; ) {
        const message = await merged.take();
        if (message instanceof BpcError) throw message;
        if (message.kind === 'done') open -= 1;
        if (message.kind !== 'chunks') continue;
        yield message.chunks;
        // Only now may the thread go on: a slow reader is not to be buried in draws.
        groups.find(({ id }) => id === message.id)?.thread.post({ kind: 'taken', id: message.id });
      }
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
      await Promise.all(pumps);
    }
    if (failures.length > 0) throw failures[0];
  }

  return {
    layout,
    statistics,
    environment,
    program,
    run,
    async dispose() {
      forget();
    },
  };
}
