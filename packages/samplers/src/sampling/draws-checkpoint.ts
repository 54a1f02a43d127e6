import {
  CheckpointError,
  type CheckpointStore,
  canonicalJson,
  checkRunIdentity,
  decodeSafetensors,
  encodeSafetensors,
  hostEnvironment,
  type Json,
  type Key,
  keyToString,
  type Metadata,
  readMetadata,
  type SafetensorsEntry,
} from '@bpc/core';
import { VERSION } from '../version.js';
import type { Chunk, SavedArray, SavedChain } from './chain.js';
import type { Layout } from './layout.js';
import type { SamplingCheckpoint } from './options.js';
import { settingsRecord } from './provenance.js';
import { type RowFiles, rowFiles } from './row-files.js';
import type { Rows } from './rows.js';
import { keptRows, type Settings, totalSteps } from './settings.js';

/** What identifies the run of a checkpoint. */
export interface DrawsIdentity {
  readonly key: Key;
  readonly settings: Settings;
  readonly layout: Layout;
  readonly statistics: readonly string[];
  readonly environment: Metadata;
  /** Tells compiled algorithms apart. */
  readonly program: string;
}

/** What a checkpoint gives back. */
export interface LoadedDraws {
  readonly chains: ReadonlyMap<number, SavedChain>;
  /** All rows of each chain up to its saved step. */
  readonly rows: readonly { readonly chain: number; readonly rows: Rows }[];
}

/** Saves a run while it goes on, and loads it. */
export interface DrawsCheckpoint {
  /** @throws CheckpointError if what is saved is damaged or another run. */
  load(): Promise<LoadedDraws | undefined>;
  /** Takes the rows of chunks; writes in the background when they come with states. Waits for the write before. */
  add(chunks: readonly Chunk[]): Promise<void>;
  /** Waits for the last write. @throws StorageError if a write failed. */
  flush(): Promise<void>;
}

function entry(data: SavedArray): SafetensorsEntry {
  const shape = [data.length];
  if (data instanceof Float64Array) return { dtype: 'F64', shape, data };
  if (data instanceof Float32Array) return { dtype: 'F32', shape, data };
  return { dtype: 'I32', shape, data };
}

/** A start as JSON, whatever arrays it is written in. */
function startRecord(start: unknown): Json {
  const text = JSON.stringify(start, (_, value: unknown) =>
    value instanceof Float64Array || value instanceof Float32Array || value instanceof Int32Array ? Array.from(value) : value,
  );
  return text === undefined ? null : (JSON.parse(text) as Json);
}

function configRecord({ settings, layout, statistics, program }: DrawsIdentity): Metadata {
  // More draws may be asked for later: no draw depends on how many there will be.
  const { draws: _, ...fixed } = settingsRecord(settings);
  return {
    ...fixed,
    start: startRecord(settings.start),
    variables: layout.variables.map(({ name, shape, kind }) => ({ name, kind, shape: [...shape] })),
    unconstrained: layout.unconstrained.map(({ name, shape }) => ({ name, shape: [...shape] })),
    statistics: [...statistics],
    program,
  };
}

/** The states of all chains as one file, which also names the files of rows: written last, it makes a save complete. */
function encodeManifest(chains: ReadonlyMap<number, SavedChain>, record: Metadata): Uint8Array {
  const tensors: Record<string, SafetensorsEntry> = {};
  for (const [chain, { arrays }] of chains) {
    for (const [name, array] of Object.entries(arrays)) tensors[`${chain}/${name}`] = entry(array);
  }
  return encodeSafetensors(tensors, { format: 'bpc-1', bpc: canonicalJson(record) });
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

function decodeChains(bytes: Uint8Array, metadata: Metadata, name: string): Map<number, SavedChain> {
  const damaged = (): CheckpointError => new CheckpointError(`'${name}' lacks the states of chains`, 'remove it, and start anew');
  const { chains } = metadata;
  if (!isList(chains)) throw damaged();
  const arrays = chains.map((): Record<string, SavedArray> => ({}));
  for (const [path, { data }] of decodeSafetensors(bytes).tensors) {
    const slash = path.indexOf('/');
    const own = arrays[Number(path.slice(0, slash))];
    if (own === undefined || data instanceof Uint8Array) throw damaged();
    own[path.slice(slash + 1)] = data;
  }
  return new Map(
    chains.flatMap((chain, c): [number, SavedChain][] => {
      if (chain === null) return [];
      const { step, record } = chain as Metadata;
      if (typeof step !== 'number' || typeof record !== 'object' || record === null || isList(record)) throw damaged();
      return [[c, { step, record, arrays: arrays[c] ?? {} }]];
    }),
  );
}

/**
 * The checkpoint of one run: a file with the states of all chains, and files with their rows so far. Every file is written
 * atomically, the states last, so that a run that is killed resumes from its last complete save.
 */
export function drawsCheckpoint(options: SamplingCheckpoint, identity: DrawsIdentity): DrawsCheckpoint {
  const { name = 'draws', allowInexact = false } = options;
  const store: CheckpointStore = options.store;
  const file = `${name}.safetensors`;
  const { settings, layout, statistics, key } = identity;
  const files: RowFiles = rowFiles(store, name, {
    unconstrained: layout.size,
    values: layout.outputSize,
    statistics: statistics.length,
  });
  const environment: Metadata = { ...hostEnvironment(), samplers: VERSION, ...identity.environment };
  const config = configRecord(identity);
  const states = new Map<number, SavedChain>();
  let pending: Promise<void> = Promise.resolve();

  const flush = async (): Promise<void> => {
    const write = pending;
    pending = Promise.resolve();
    await write;
  };

  const write = async (): Promise<void> => {
    // States and rows of one moment: both go on while files are written.
    const now = new Map(states);
    const names = await files.write();
    const chains = Array.from({ length: settings.chains }, (_, c): Json => {
      const saved = now.get(c);
      return saved === undefined ? null : { step: saved.step, record: saved.record };
    });
    const step = chains.reduce<number>((least, _, c) => Math.min(least, now.get(c)?.step ?? 0), Number.MAX_SAFE_INTEGER);
    const record = { kind: 'run', step, key: keyToString(key), config, environment, chains, files: [...names] };
    await store.write(file, encodeManifest(now, record));
    await files.clean(names);
  };

  return {
    async load() {
      const bytes = await store.read(file);
      if (bytes === undefined) return undefined;
      const metadata = readMetadata(bytes);
      checkRunIdentity(metadata, { key, config, environment }, file, allowInexact);
      const chains = decodeChains(bytes, metadata, file);
      for (const [chain, saved] of chains) {
        if (saved.step > totalSteps(settings)) {
          throw new CheckpointError(
            `'${file}' holds ${keptRows(settings, saved.step).draws} draws of chain ${chain}, but only ${settings.draws} are asked for`,
            'ask for at least as many draws, or choose another name',
          );
        }
        states.set(chain, saved);
      }
      const names = isList(metadata['files']) ? metadata['files'].map(String) : [];
      const rows = await files.load(names, settings.chains);
      for (const { chain, rows: own } of rows) {
        const expected = keptRows(settings, states.get(chain)?.step ?? 0);
        if (own.count === expected.warmup + expected.draws) continue;
        throw new CheckpointError(
          `'${name}' has ${own.count} rows of chain ${chain}, expected ${expected.warmup + expected.draws}`,
          'remove its files, and start anew',
        );
      }
      return { chains: new Map(states), rows };
    },
    async add(chunks) {
      let due = false;
      for (const { chain, rows, saved } of chunks) {
        files.add(chain, rows);
        if (saved === undefined || saved.step === states.get(chain)?.step) continue;
        states.set(chain, saved);
        files.commit(chain);
        due = true;
      }
      if (!due) return;
      await flush();
      pending = write();
      // Reported by the next flush; without this, Node would end the process first.
      pending.catch(() => undefined);
    },
    flush,
  };
}
