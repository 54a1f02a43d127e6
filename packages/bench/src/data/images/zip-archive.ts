import { type FileHandle, open } from 'node:fs/promises';
import { crc32, inflateRawSync } from 'node:zlib';
import { ChecksumError, StorageError } from '@bpc/core';

/** Files by name, in a folder or in an archive. */
export interface FileTree {
  /** For messages. */
  readonly path: string;
  /** Names with `/` between folders, sorted. */
  readonly names: readonly string[];
  /** @throws StorageError if there is no such file; ChecksumError if its bytes are damaged. */
  read(name: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  readonly offset: number;
}

const SIGNATURE = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 };
const END_LENGTH = 22;
const LONGEST_COMMENT = 0xffff;
const remedy = 'use the original archive, complete';

/**
 * Open a zip archive to read single files of it; only its directory is held in memory.
 *
 * Stored and deflated entries, also with the 64-bit directory of archives of more than 65 535 files. Every entry's CRC-32
 * is checked when it is read. Source: PKWARE, ".ZIP File Format Specification" (APPNOTE 6.3.10), §4.3.
 *
 * @throws ChecksumError if the archive is truncated or is none; StorageError if it cannot be read.
 */
export async function openZip(path: string): Promise<FileTree> {
  const handle = await open(path, 'r').catch((cause: Error) => {
    throw new StorageError(`cannot read ${path}: ${cause.message}`, 'check that the file is there and may be read', { cause });
  });
  try {
    const entries = await readDirectory(handle, path);
    return {
      path,
      names: [...entries.keys()].sort(),
      read: (name) => readEntry(handle, path, name, entries.get(name)),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readDirectory(handle: FileHandle, path: string): Promise<Map<string, Entry>> {
  const { size } = await handle.stat();
  const tailStart = Math.max(0, size - END_LENGTH - LONGEST_COMMENT);
  const tail = await readAt(handle, path, tailStart, size - tailStart);
  let end = tail.byteLength - END_LENGTH;
  while (end >= 0 && tail.getUint32(end, true) !== SIGNATURE.end) end--;
  if (end < 0) throw new ChecksumError(`${path} is truncated, or no zip archive: its directory is missing`, remedy);
  let length = tail.getUint32(end + 12, true);
  let start = tail.getUint32(end + 16, true);
  const locator = end - 20;
  if (locator >= 0 && tail.getUint32(locator, true) === SIGNATURE.locator64) {
    const wide = await readAt(handle, path, Number(tail.getBigUint64(locator + 8, true)), 56);
    if (wide.getUint32(0, true) !== SIGNATURE.end64) throw new ChecksumError(`${path} has a damaged directory`, remedy);
    length = Number(wide.getBigUint64(40, true));
    start = Number(wide.getBigUint64(48, true));
  }
  const directory = await readAt(handle, path, start, length);
  const entries = new Map<string, Entry>();
  for (let at = 0; at < directory.byteLength; ) {
    const next = parseEntry(directory, at, path);
    if (!next.name.endsWith('/')) entries.set(next.name, next.entry);
    at = next.end;
  }
  return entries;
}

function parseEntry(view: DataView, at: number, path: string): { readonly name: string; readonly entry: Entry; readonly end: number } {
  if (at + 46 > view.byteLength || view.getUint32(at, true) !== SIGNATURE.central) {
    throw new ChecksumError(`${path} has a damaged directory`, remedy);
  }
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
  const extra = at + 46 + (nameLength ?? 0);
  const end = extra + (extraLength ?? 0) + (commentLength ?? 0);
  if (end > view.byteLength) throw new ChecksumError(`${path} has a damaged directory`, remedy);
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
  // Fields that do not fit into 32 bits stand in the extra field 0x0001, in this order.
  const wide = wideFields(view, extra, extra + (extraLength ?? 0));
  const field = (offset: number): number => {
    const value = view.getUint32(at + offset, true);
    return value === 0xffffffff ? (wide.shift() ?? value) : value;
  };
  const size = field(24);
  const compressed = field(20);
  const offset = field(42);
  return { name, entry: { method: view.getUint16(at + 10, true), crc: view.getUint32(at + 16, true), compressed, size, offset }, end };
}

function wideFields(view: DataView, start: number, end: number): number[] {
  for (let at = start; at + 4 <= end; ) {
    const length = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1) {
      return Array.from({ length: Math.min(length, end - at - 4) >> 3 }, (_, i) => Number(view.getBigUint64(at + 4 + 8 * i, true)));
    }
    at += 4 + length;
  }
  return [];
}

async function readEntry(handle: FileHandle, path: string, name: string, entry: Entry | undefined): Promise<Uint8Array> {
  if (entry === undefined) throw new StorageError(`${path} has no file ${name}`, remedy);
  const header = await readAt(handle, path, entry.offset, 30);
  if (header.getUint32(0, true) !== SIGNATURE.local) throw new ChecksumError(`${name} in ${path} is damaged`, remedy);
  const start = entry.offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const stored = await readAt(handle, path, start, entry.compressed);
  const bytes = inflate(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength), entry, `${name} in ${path}`);
  if (bytes.length !== entry.size || crc32(bytes) !== entry.crc) {
    throw new ChecksumError(`${name} in ${path} is damaged: its length or CRC-32 differs from the directory's`, remedy);
  }
  return bytes;
}

function inflate(stored: Uint8Array, { method }: Entry, what: string): Uint8Array {
  if (method === 0) return stored;
  if (method !== 8) throw new ChecksumError(`${what} is packed by method ${method}, expected 0 (stored) or 8 (deflated)`, remedy);
  try {
    return inflateRawSync(stored);
  } catch (cause) {
    throw new ChecksumError(`${what} cannot be unpacked`, remedy, { cause });
  }
}

async function readAt(handle: FileHandle, path: string, position: number, length: number): Promise<DataView> {
  const buffer = new Uint8Array(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  if (bytesRead !== length) throw new ChecksumError(`${path} is truncated: it ends before byte ${position + length}`, remedy);
  return new DataView(buffer.buffer);
}
