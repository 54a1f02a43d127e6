import { ConfigError, checkStoreName } from '@bpc/core';
import { show } from '../show.js';
import type { SamplingCheckpoint } from './options.js';
import { integer, isRecord, type Unchecked } from './unchecked.js';

/** A checkpoint's options with defaults. @throws ConfigError or CheckpointError naming the option. */
export function checkCheckpoint(checkpoint: unknown): SamplingCheckpoint | undefined {
  if (checkpoint === undefined) return undefined;
  const { store, name = 'draws', every, allowInexact = false }: Unchecked = isRecord(checkpoint) ? { ...checkpoint } : {};
  if (!isRecord(store) || ['read', 'write', 'list', 'remove'].some((method) => typeof store[method] !== 'function')) {
    throw new ConfigError(
      `checkpoint.store is ${show(store)}, expected a store`,
      "write checkpoint: { store: fileStore('folder') }, or memoryStore()",
    );
  }
  if (typeof name !== 'string') throw new ConfigError(`checkpoint.name is ${show(name)}, expected text`, 'pass a name for the files');
  checkStoreName(name);
  if (typeof allowInexact !== 'boolean') {
    throw new ConfigError(`checkpoint.allowInexact is ${show(allowInexact)}, expected true or false`, 'pass true or false');
  }
  return {
    // It has the functions of one.
    store: store as unknown as SamplingCheckpoint['store'],
    name,
    allowInexact,
    ...(every === undefined ? {} : { every: integer({ every }, 'every', Number.NaN, 1) }),
  };
}
