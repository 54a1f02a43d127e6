import type { Json, Metadata } from './checkpoint.js';
import { canonicalJson, loadTree, saveTree } from './checkpoint.js';
import { CheckpointError } from './errors.js';
import type { Key } from './random.js';
import { keyToString } from './random.js';
import type { CheckpointStore } from './store.js';
import type { Tree } from './tree.js';
import { disposeTree } from './tree.js';

/** Where and how often a run saves itself, and what must agree when it resumes. */
export type CheckpointOptions = {
  readonly store: CheckpointStore;
  /** Name in the store (`'checkpoint.safetensors'` by default). */
  readonly name?: string;
  /** Steps between two checkpoints (100 by default). The end, an abort and a failure are saved in any case. */
  readonly every?: number;
  /** Settings of the run; resuming with others is refused. */
  readonly config?: Json;
  /** Resume although runtime, threads or versions differ: the result is then no longer bitwise the uninterrupted one. */
  readonly allowInexact?: boolean;
};

/** What identifies a run. */
export type RunIdentity = { readonly key: Key; readonly config: Json; readonly environment: Metadata };

/** The first place where two JSON values differ, as `path: found, expected …`; undefined if they are equal. */
function difference(saved: Json | undefined, now: Json | undefined, path = ''): string | undefined {
  if (saved !== undefined && now !== undefined && canonicalJson(saved) === canonicalJson(now)) return undefined;
  if (saved === undefined && now === undefined) return undefined;
  const isRecord = (value: Json | undefined): value is Metadata => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isRecord(saved) && isRecord(now)) {
    for (const name of [...new Set([...Object.keys(saved), ...Object.keys(now)])].sort()) {
      const found = difference(saved[name], now[name], path === '' ? name : `${path}.${name}`);
      if (found !== undefined) return found;
    }
  }
  const print = (value: Json | undefined) => (value === undefined ? 'nothing' : canonicalJson(value));
  return `${path === '' ? '' : `${path}: `}saved ${print(saved)}, now ${print(now)}`;
}

/**
 * Refuses the record of another run, and gives the number of steps that this one has behind it.
 *
 * @throws CheckpointError if the record is of no run, or of another configuration, key or (unless `allowInexact`) environment.
 */
export function checkRunIdentity(
  metadata: Metadata,
  { key, config, environment }: RunIdentity,
  name: string,
  allowInexact: boolean,
): number {
  const { step } = metadata;
  if (metadata['kind'] !== 'run' || typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) {
    throw new CheckpointError(`'${name}' is no checkpoint of a run`, 'choose another name or remove it');
  }
  const changed = difference(metadata['config'], config);
  if (changed !== undefined) {
    throw new CheckpointError(
      `'${name}' was saved with another configuration (${changed})`,
      'resume with the same configuration, or choose another output',
    );
  }
  if (metadata['key'] !== keyToString(key)) {
    throw new CheckpointError(
      `'${name}' was saved with another key (saved ${String(metadata['key'])}, now ${keyToString(key)})`,
      'resume with the same seed, or choose another output',
    );
  }
  const elsewhere = difference(metadata['environment'], environment);
  if (elsewhere !== undefined && !allowInexact) {
    throw new CheckpointError(
      `'${name}' was saved in another environment (${elsewhere}), where results differ in the last bits`,
      'resume in the same environment, or pass allowInexact (--allow-inexact)',
    );
  }
  return step;
}

/** Saves and resumes one run under one name. */
export type RunCheckpoint<State extends Tree> = {
  /** The saved state and the number of steps it has behind it, or `undefined` if there is none. Fresh tensors. */
  load(like: State): Promise<{ readonly state: State; readonly step: number } | undefined>;
  /** Reads `state`, then writes in the background; waits for the write before, and throws its error. */
  save(state: State, step: number): Promise<void>;
  /** Waits for the last write. @throws StorageError if a write failed. */
  flush(): Promise<void>;
};

/**
 * The checkpoint of one run.
 *
 * @throws CheckpointError from `load` if the file is damaged or belongs to another configuration, key or environment.
 */
export function runCheckpoint<State extends Tree>(options: CheckpointOptions, identity: RunIdentity): RunCheckpoint<State> {
  const { store, name = 'checkpoint.safetensors', allowInexact = false } = options;
  let pending: Promise<void> = Promise.resolve();
  let savedStep: number | undefined;

  const flush = async (): Promise<void> => {
    const write = pending;
    pending = Promise.resolve();
    try {
      await write;
    } catch (error) {
      savedStep = undefined;
      throw error;
    }
  };

  return {
    async load(like) {
      const bytes = await store.read(name);
      if (bytes === undefined) return undefined;
      const { tree, metadata } = loadTree(bytes, like);
      try {
        savedStep = checkRunIdentity(metadata, identity, name, allowInexact);
        return { state: tree, step: savedStep };
      } catch (error) {
        disposeTree(tree);
        throw error;
      }
    },
    async save(state, step) {
      if (step === savedStep) return flush();
      const { key, config, environment } = identity;
      const bytes = await saveTree(state, { kind: 'run', step, key: keyToString(key), config, environment });
      await flush();
      savedStep = step;
      pending = store.write(name, bytes);
      // Reported by the next flush; without this, Node would end the process first.
      pending.catch(() => undefined);
    },
    flush,
  };
}
