import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ChecksumError } from '@bpc/core';
import { Parser, type ReadEntry } from 'tar';
import { writeAtomically } from './atomic-file.js';
import { checkHash, throwIfAborted } from './download.js';
import type { ManifestFile } from './manifest.js';

/**
 * Unpack only `files` from a gzipped tarball, streaming, each checked against its hash before it gets its name.
 *
 * @throws ChecksumError if a file is missing or differs; StorageError if it cannot be written; InterruptedError when
 * aborted.
 */
export async function extractFiles(
  tarball: string,
  folder: string,
  files: readonly ManifestFile[],
  destination: string,
  signal?: AbortSignal,
): Promise<void> {
  const wanted = new Map(files.map((file) => [`${folder}/${file.name}`, file]));
  const written: Promise<void>[] = [];
  const parser = new Parser({
    strict: true,
    filter: (path) => wanted.has(path),
    onReadEntry: (entry) => {
      const file = wanted.get(entry.path);
      if (file === undefined) return void entry.resume();
      wanted.delete(entry.path);
      const job = extractEntry(entry, file, destination, signal).catch((error: unknown) => {
        // An unread entry would stall the parser, and with it this function.
        entry.resume();
        throw error;
      });
      job.catch(() => undefined);
      written.push(job);
    },
  });
  await pipeline(createReadStream(tarball), parser);
  await Promise.all(written);
  const missing = [...wanted.keys()].join(', ');
  if (missing !== '') throw new ChecksumError(`the tarball has no ${missing}`, 'use the package version named in the manifest');
}

async function extractEntry(entry: ReadEntry, file: ManifestFile, destination: string, signal: AbortSignal | undefined): Promise<void> {
  await writeAtomically(join(destination, file.name), async (handle) => {
    const hash = createHash('sha256');
    for await (const chunk of entry) {
      throwIfAborted(signal, file.name);
      hash.update(chunk);
      await handle.writeFile(chunk);
    }
    checkHash(hash.digest('hex'), file, `${file.name} in the tarball`, 'use the package version named in the manifest');
  });
}
