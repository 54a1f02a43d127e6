import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeAtomically } from './atomic-file.js';
import { checkHash, type DownloadOptions, download, downloadJson, throwIfAborted, UnreachableError } from './download.js';

/** A package version, with the hash of its tarball. */
export interface RegistryPackage {
  readonly package: string;
  readonly version: string;
  readonly sha256: string;
}

const execute = promisify(execFile);

/**
 * Fetch a package's tarball from the npm registry this machine is configured for, without installing it.
 *
 * The registry is `npm_config_registry` (set inside npm scripts) or the answer of `npm config get registry`. The tarball
 * is asked for by its usual address, then by the one in the package's description; Node's `fetch` trusts
 * `NODE_EXTRA_CA_CERTS`. Where that is refused or cannot connect (a registry with a login, a proxy, a certificate only npm
 * knows), `npm pack` fetches it with the user's own npm settings, so this code never reads a credential.
 *
 * @throws UnreachableError, ChecksumError, InterruptedError, StorageError as `download`.
 */
export async function fetchTarball(
  source: RegistryPackage,
  path: string,
  options: DownloadOptions & { readonly registry?: string } = {},
): Promise<void> {
  const name = `${source.package}@${source.version}`;
  const expected = { name, sha256: source.sha256 };
  const registry = options.registry ?? (await configuredRegistry());
  const bare = source.package.split('/').at(-1);
  const usual = new URL(`${source.package}/-/${bare}-${source.version}.tgz`, registry).href;
  try {
    return await download(usual, path, expected, options);
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    if (error.status === 404) {
      const described = await describedTarball(source, registry, name, options);
      if (described === undefined || described === usual) throw error;
      return download(described, path, expected, options);
    }
    await packWithNpm(source, registry, path, options, error);
  }
}

/** The registry of this machine's npm configuration, ending with a slash. */
export async function configuredRegistry(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const registry = env['npm_config_registry'] ?? (await npm(['config', 'get', 'registry'])).trim();
  if (!URL.canParse(registry)) throw new UnreachableError(`npm's registry is '${registry}', expected a URL`, undefined);
  return registry.endsWith('/') ? registry : `${registry}/`;
}

async function describedTarball(
  source: RegistryPackage,
  registry: string,
  name: string,
  options: DownloadOptions,
): Promise<string | undefined> {
  const description = await downloadJson(new URL(`${source.package}/${source.version}`, registry).href, name, options);
  const dist = typeof description === 'object' && description !== null && 'dist' in description ? description.dist : undefined;
  const tarball = typeof dist === 'object' && dist !== null && 'tarball' in dist ? dist.tarball : undefined;
  return typeof tarball === 'string' ? tarball : undefined;
}

async function packWithNpm(
  source: RegistryPackage,
  registry: string,
  path: string,
  options: DownloadOptions,
  first: UnreachableError,
): Promise<void> {
  const name = `${source.package}@${source.version}`;
  const folder = await mkdtemp(join(tmpdir(), 'bpc-pack-'));
  try {
    await npm(
      [
        'pack',
        name,
        '--ignore-scripts',
        '--pack-destination',
        folder,
        '--registry',
        registry,
        '--fetch-retries',
        '1',
        '--fetch-retry-mintimeout',
        '500',
      ],
      options.signal,
    );
    const [tarball] = await readdir(folder);
    if (tarball === undefined) throw first;
    const bytes = await readFile(join(folder, tarball));
    checkHash(
      createHash('sha256').update(bytes).digest('hex'),
      source,
      `the downloaded ${name}`,
      'the registry serves another file: ask who runs it',
    );
    options.onProgress?.({ file: name, received: bytes.length, total: bytes.length });
    await writeAtomically(path, (handle) => handle.writeFile(bytes));
  } catch (error) {
    throwIfAborted(options.signal, name);
    // npm's own message repeats the first one at length.
    throw error instanceof Error && 'stderr' in error ? first : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function npm(args: readonly string[], signal?: AbortSignal): Promise<string> {
  // Inside npm scripts `npm_execpath` is the client in use; elsewhere the one that came with Node is on the PATH.
  const script = process.env['npm_execpath'];
  const known = script !== undefined && /npm-cli\.c?js$/.test(script);
  const [file, first] = known ? [process.execPath, [script]] : ['npm', []];
  const shell = !known && process.platform === 'win32';
  const { stdout } = await execute(file, [...first, ...args], { shell, ...(signal === undefined ? {} : { signal }) });
  return stdout;
}
