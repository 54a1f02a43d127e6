import { constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { access, mkdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CheckpointError, StorageError } from '@bpc/core';
import type { RunConfig } from '../config/index.js';
import { storageError, writeAtomically } from '../data/atomic-file.js';
import { assertSameRun, continued, type Fingerprint } from './fingerprint.js';
import { lockFolder } from './folder-lock.js';

/** The folder of one run: results on top, everything needed to resume under `checkpoint/`. */
export interface RunFolder {
  readonly path: string;
  /** True when an earlier run with the same settings left something here. */
  readonly resumed: boolean;
  /** Absolute path of a file or folder in the run folder. */
  file(...names: readonly string[]): string;
  /** Absolute path of a folder under `checkpoint/`; whoever writes there creates it. */
  checkpointFolder(...names: readonly string[]): string;
  /** A finished piece of work, or undefined if it is still to do or unreadable. */
  readPiece<T>(name: string): T | undefined;
  /** Stores a finished piece of work, whole or not at all. */
  writePiece(name: string, value: unknown): Promise<void>;
  /** Lets other processes have the folder; the end of this process does so too. */
  release(): Promise<void>;
}

interface OpenOptions {
  readonly path: string;
  readonly fingerprint: Fingerprint;
  readonly allowInexact?: boolean;
}

/** `bpc-out/<dataset>-ipc<k>-<method>`. */
export const defaultRunFolder = (config: Pick<RunConfig, 'dataset' | 'ipc' | 'method'>): string =>
  join('bpc-out', `${config.dataset}-ipc${config.ipc}-${config.method}`);

// Enough to notice a full disk before hours of work, small enough to cost nothing.
const probeBytes = 1 << 16;

/** Level by level: Node's own recursive `mkdir` never returns where a file system refuses a folder with ENOENT (`/proc`). */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeFolder(dirname(path));
  await mkdir(path).catch((error: unknown) => {
    if (!existsSync(path)) throw error;
  });
}

/**
 * Creates a folder if need be and proves that files can be written there.
 *
 * @throws StorageError when it is a file, read-only, or full.
 */
export async function claimFolder(folder: string): Promise<string> {
  const path = resolve(folder);
  if (existsSync(path) && !statSync(path).isDirectory()) {
    throw new StorageError(`output folder ${path} is a file`, 'pass --out with the path of a folder');
  }
  try {
    await makeFolder(path);
  } catch (cause) {
    throw storageError(cause, path);
  }
  const probe = join(path, '.bpc-probe');
  await writeAtomically(probe, (handle) => handle.writeFile(new Uint8Array(probeBytes)));
  await rm(probe, { force: true });
  return path;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

// What is under `checkpoint/` and how: raised with every change that would make an older folder read wrongly.
const format = 2;

/** The record of the run that a folder holds. @throws StorageError, CheckpointError */
function readRecord(folder: string, runFile: string): Fingerprint {
  const stored = readJson(runFile);
  if (!isRecord(stored)) throw new StorageError(`${runFile} is damaged`, 'delete the folder, or pass another --out');
  const { format: found = 1, ...record } = stored;
  if (found !== format) {
    throw new CheckpointError(
      `${folder} holds a run in format ${String(found)}, written by another version of bpc; this one continues format ${format}`,
      'finish it with the version that began it, pass another --out, or delete the folder',
    );
  }
  return record;
}

/** The nearest folder above that exists. */
const existing = (path: string): string => (existsSync(path) || dirname(path) === path ? path : existing(dirname(path)));

/**
 * Refuses what `openRunFolder` would refuse, as far as it can be seen without writing: for the time before a download.
 *
 * @returns the record of the run that is there, if there is one.
 * @throws as `openRunFolder`.
 */
export async function examineRunFolder({ path: wanted, fingerprint, allowInexact = false }: OpenOptions): Promise<Fingerprint | undefined> {
  const path = resolve(wanted);
  const runFile = join(path, 'checkpoint', 'run.json');
  if (existsSync(runFile)) {
    const stored = readRecord(path, runFile);
    assertSameRun(path, stored, fingerprint, allowInexact);
    return stored;
  }
  const parent = existing(path);
  if (!statSync(parent).isDirectory()) {
    throw new StorageError(`output folder ${path} is a file or lies in one`, 'pass --out with the path of a folder');
  }
  if (parent === path && readdirSync(path).some((name) => !name.startsWith('.'))) {
    throw new StorageError(`output folder ${path} is not empty and holds no run of this command`, 'pass --out with an empty or new folder');
  }
  await access(parent, constants.W_OK).catch((cause: unknown) => {
    throw storageError(cause, path);
  });
  return undefined;
}

/** What a run has left in a folder; nothing is written or locked. */
export function lookIntoFolder(folder: string): Pick<RunFolder, 'path' | 'file' | 'checkpointFolder' | 'readPiece'> {
  const path = resolve(folder);
  return {
    path,
    file: (...names) => join(path, ...names),
    checkpointFolder: (...names) => join(path, 'checkpoint', ...names),
    // Who asks knows what was written under this name with these settings, so its type is known to be T.
    readPiece: <T>(name: string) => readJson(pieceFile(path, name)) as T | undefined,
  };
}

const pieceFile = (path: string, name: string): string => join(path, 'checkpoint', 'pieces', `${name}.json`);

/**
 * Opens a run's folder, to start or to resume, and keeps other processes out of it.
 *
 * @throws StorageError if it cannot be used, holds files that are not a run's, or is in use by another process;
 * CheckpointError if it holds a run with other settings or of another version.
 */
export async function openRunFolder(options: OpenOptions): Promise<RunFolder> {
  const path = resolve(options.path);
  const runFile = join(path, 'checkpoint', 'run.json');
  const stored = await examineRunFolder(options);
  const resumed = stored !== undefined;
  const next = stored === undefined ? options.fingerprint : continued(stored, options.fingerprint);
  const record = next === stored ? undefined : next;
  await claimFolder(path);
  const lock = await lockFolder(path);
  const writeJson = (file: string, text: string) => writeAtomically(file, (handle) => handle.writeFile(text));
  if (record !== undefined) await writeJson(runFile, `${JSON.stringify({ format, ...record }, null, 2)}\n`);
  return {
    ...lookIntoFolder(path),
    resumed,
    writePiece: (name, value) => writeJson(pieceFile(path, name), JSON.stringify(value)),
    release: lock.release,
  };
}
