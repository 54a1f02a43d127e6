import { createHash } from 'node:crypto';
import { type BpcError, ChecksumError, InterruptedError, StorageError } from '@bpc/core';
import { writeAtomically } from './atomic-file.js';

/** Progress of one download, in bytes; `total` is absent when the server does not tell. */
export interface DownloadProgress {
  readonly file: string;
  readonly received: number;
  readonly total?: number;
}

/** Options of every function that fetches. */
export interface DownloadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** What a server could not give, as opposed to what it gave wrongly: another source may be tried. */
export class UnreachableError extends StorageError {
  /** HTTP status, if there was an answer at all. */
  readonly status: number | undefined;

  constructor(message: string, status: number | undefined, options?: ErrorOptions) {
    super(message, 'check the network and the configured registry, or put the files into a folder and name it (--data, BPC_DATA)', options);
    this.status = status;
  }
}

/**
 * Fetch `url` into `path`, checked against its hash before it gets that name.
 *
 * @throws UnreachableError if there is no answer or it is not 200; ChecksumError if the answer breaks off or has another
 * hash; InterruptedError if `signal` is aborted; StorageError if it cannot be written. In each case `path` is untouched.
 */
export async function download(
  url: string,
  path: string,
  expected: { readonly name: string; readonly sha256: string },
  options: DownloadOptions = {},
): Promise<void> {
  const { signal, onProgress } = options;
  const { name } = expected;
  const response = await request(url, name, signal);
  const total = Number(response.headers.get('content-length')) || undefined;
  const body = response.body;
  if (body === null) throw new UnreachableError(`the answer for ${name} is empty`, response.status);
  await writeAtomically(path, async (handle) => {
    const hash = createHash('sha256');
    let received = 0;
    for await (const chunk of chunksOf(body, name, signal)) {
      hash.update(chunk);
      await handle.writeFile(chunk);
      received += chunk.length;
      onProgress?.({ file: name, received, ...(total === undefined ? {} : { total }) });
    }
    checkHash(
      hash.digest('hex'),
      expected,
      `the downloaded ${name}`,
      'run the command again; if it happens again, the registry serves another file',
    );
  });
}

/** Fetch a small JSON document. @throws UnreachableError as for `download`. */
export async function downloadJson(url: string, name: string, options: DownloadOptions = {}): Promise<unknown> {
  const response = await request(url, name, options.signal);
  try {
    return await response.json();
  } catch (cause) {
    if (isAbort(options.signal)) throw stopped(name, cause);
    throw new UnreachableError(`the description of ${name} is not JSON`, response.status, { cause });
  }
}

/** @throws ChecksumError naming the file, both hashes and the remedy. */
export function checkHash(actual: string, expected: { readonly sha256: string }, what: string, remedy: string): void {
  if (actual === expected.sha256) return;
  throw new ChecksumError(`${what} has SHA-256 ${actual}, expected ${expected.sha256}`, remedy);
}

/** Throws InterruptedError if the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined, name: string): void {
  if (isAbort(signal)) throw stopped(name, signal?.reason);
}

async function* chunksOf(body: ReadableStream<Uint8Array>, name: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    if (isAbort(signal)) throw stopped(name, cause);
    throw new ChecksumError(`the download of ${name} broke off before its end`, 'run the command again; it starts this file afresh', {
      cause,
    });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function request(url: string, name: string, signal: AbortSignal | undefined): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, signal === undefined ? {} : { signal });
  } catch (cause) {
    if (isAbort(signal)) throw stopped(name, cause);
    throw new UnreachableError(`cannot fetch ${name}: ${reason(cause)}`, undefined, { cause });
  }
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new UnreachableError(`cannot fetch ${name}: the server answers ${response.status} ${response.statusText}`, response.status);
  }
  return response;
}

const isAbort = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

const stopped = (name: string, cause: unknown): BpcError =>
  new InterruptedError(`the download of ${name} was stopped`, 0, 'run the command again; it starts this file afresh', { cause });

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause instanceof Error ? `${error.cause.message}` : '';
  return inner === '' ? error.message : `${error.message} (${inner})`;
}
