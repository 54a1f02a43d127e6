import { CheckpointError } from './errors.js';

/**
 * Where checkpoints live: memory, a folder (`fileStore` of `@bpc/core/node`), or anything a caller writes.
 *
 * `write` is atomic: afterwards `read` gives the new bytes, and if it fails or the process dies, the old ones.
 */
export interface CheckpointStore {
  /** The bytes under `name`, or `undefined` if there are none. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** @throws StorageError if the bytes cannot be kept. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Names in sorted order. */
  list(): Promise<readonly string[]>;
  /** Removing what is not there is harmless. */
  remove(name: string): Promise<void>;
}

/** Throws `CheckpointError` unless `name` is a plain file name: letters, digits, `.`, `_`, `-`, no leading dot. */
export function checkStoreName(name: string): void {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/.test(name)) {
    throw new CheckpointError(
      `'${name}' is no checkpoint name`,
      'use up to 200 letters, digits, dots, dashes and underscores, not starting with a dot',
    );
  }
}

/** A store that lives as long as the object does. Bytes are copied both ways. */
export function memoryStore(): CheckpointStore {
  const files = new Map<string, Uint8Array>();
  return {
    read: async (name) => files.get(name)?.slice(),
    async write(name, bytes) {
      checkStoreName(name);
      files.set(name, bytes.slice());
    },
    list: async () => [...files.keys()].sort(),
    async remove(name) {
      files.delete(name);
    },
  };
}
