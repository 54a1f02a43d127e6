import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from './atomic-file.js';
import { checkHash, type DownloadOptions, download, UnreachableError } from './download.js';
import { extractFiles } from './extract.js';
import { unpack } from './locate.js';
import type { FileSet, ManifestFile, ManifestSource } from './manifest.js';
import { fetchTarball } from './registry.js';

/**
 * Fetch the files of one layout into `folder`, from the first source that answers.
 *
 * @throws ChecksumError at once when a source gives other bytes; UnreachableError, telling what each source said, when
 * none answers.
 */
export async function fetchLayout(
  layouts: readonly FileSet[],
  folder: string,
  options: DownloadOptions & { readonly registry?: string },
): Promise<void> {
  const failures: UnreachableError[] = [];
  for (const layout of layouts) {
    const files = Object.values(layout.files);
    for (const source of layout.sources) {
      try {
        return await fetchSource(source, files, folder, options);
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
        failures.push(error);
      }
    }
  }
  const [only] = failures;
  if (only !== undefined && failures.length === 1) throw only;
  const said = failures.map((error) => error.message).join('; ');
  throw new UnreachableError(`no source has the files: ${said || 'none is known'}`, undefined, { cause: failures });
}

/** Bytes to fetch from the first source of the first layout that has one; undefined if none can be fetched. */
export function bytesToFetch(layouts: readonly FileSet[]): number | undefined {
  const source = layouts.find((layout) => layout.sources.length > 0)?.sources[0];
  if (source === undefined) return undefined;
  return source.kind === 'url' ? source.downloads.reduce((sum, file) => sum + file.bytes, 0) : source.bytes;
}

async function fetchSource(
  source: ManifestSource,
  files: readonly ManifestFile[],
  folder: string,
  options: DownloadOptions & { readonly registry?: string },
): Promise<void> {
  if (source.kind === 'url') return fetchAddress(source, files, folder, options);
  const npm = source.kind === 'npm';
  const name = npm ? `${source.package.replace('/', '-')}-${source.version}.tgz` : (source.url.split('/').at(-1) ?? source.url);
  const tarball = join(folder, name);
  try {
    await (npm ? fetchTarball(source, tarball, options) : download(source.url, tarball, { name, sha256: source.sha256 }, options));
    await extractFiles(tarball, source.folder, files, folder, options.signal);
  } finally {
    await rm(tarball, { force: true }).catch(() => undefined);
  }
}

async function fetchAddress(
  source: ManifestSource & { readonly kind: 'url' },
  files: readonly ManifestFile[],
  folder: string,
  options: DownloadOptions,
): Promise<void> {
  for (const [i, file] of files.entries()) {
    const part = source.downloads[i];
    if (part === undefined) throw new UnreachableError(`the canonical address of ${file.name} is not known`, undefined);
    const fetched = join(folder, part.name);
    await download(new URL(part.name, source.base).href, fetched, part, options);
    if (part.name === file.name) continue;
    const bytes = await unpack(await readFile(fetched), fetched, 'run the command again');
    checkHash(createHash('sha256').update(bytes).digest('hex'), file, `${part.name}, unpacked,`, 'run the command again');
    await writeAtomically(join(folder, file.name), (handle) => handle.writeFile(bytes));
    await rm(fetched, { force: true });
  }
}
