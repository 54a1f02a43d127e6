import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type DownloadProgress, getDataset } from '@bpc/bench';
import { ChecksumError, InterruptedError, StorageError } from '@bpc/core';
import ts from 'typescript';
import { describe, expect, it, onTestFinished } from 'vitest';
import { filesBelow, serve, temporaryFolder, tinyFiles, tinyManifest, tinyTarball } from './data-helpers.js';

const USUAL = '/tiny-set/-/tiny-set-1.0.0.tgz';
const names = Object.keys(tinyFiles).sort();

/** A registry that serves `bytes` at the usual address. */
const registryWith = (bytes: Uint8Array) =>
  serve((request, response) => {
    if (request.url !== USUAL) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  });

function setEnvironment(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    const before = process.env[name];
    process.env[name] = value;
    onTestFinished(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}

describe('a data set from the npm registry', () => {
  it('is fetched once, unpacked into the cache without the rest of the tarball, and reported as it comes', async () => {
    const tarball = tinyTarball();
    const registry = await registryWith(tarball);
    const cacheDir = temporaryFolder();
    const seen: DownloadProgress[] = [];
    const options = { cacheDir, registry: registry.url, manifest: tinyManifest(tarball) };
    const tiny = await getDataset('tiny', { ...options, onProgress: (progress) => seen.push(progress) });
    expect(Array.from(tiny.train.labels)).toEqual([0, 1, 0, 1, 0, 1]);
    expect(Array.from(tiny.train.images.subarray(12, 18))).toEqual([40, 41, 42, 43, 44, 45]);
    expect(Array.from(tiny.validation.images)).toEqual([20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 35]);
    expect(Array.from(tiny.test.labels)).toEqual([1, 1, 0, 0]);
    expect(filesBelow(cacheDir)).toEqual(names);
    expect(seen.at(-1)).toEqual({ file: 'tiny-set@1.0.0', received: tarball.length, total: tarball.length });
    await getDataset('tiny', options);
    expect(registry.requests).toEqual([USUAL]);
  });

  it('is asked from the registry of the npm configuration', async () => {
    const tarball = tinyTarball();
    const registry = await registryWith(tarball);
    setEnvironment({ npm_config_registry: registry.url.slice(0, -1) });
    await getDataset('tiny', { cacheDir: temporaryFolder(), manifest: tinyManifest(tarball) });
    expect(registry.requests).toEqual([USUAL]);
  });

  it('is found at the described address where the usual one is unknown', async () => {
    const tarball = tinyTarball();
    const registry = await serve((request, response) => {
      if (request.url === '/tiny-set/1.0.0')
        return void response.end(JSON.stringify({ dist: { tarball: `http://${request.headers.host}/else/where.tgz` } }));
      if (request.url === '/else/where.tgz') return void response.end(tarball);
      response.writeHead(404).end();
    });
    await getDataset('tiny', { cacheDir: temporaryFolder(), registry: registry.url, manifest: tinyManifest(tarball) });
    expect(registry.requests).toEqual([USUAL, '/tiny-set/1.0.0', '/else/where.tgz']);
  });

  it('is fetched by npm itself where the registry wants a login', async () => {
    const tarball = tinyTarball();
    const registry = await serve((request, response) => {
      if (request.headers.authorization !== 'Bearer for-this-test') return void response.writeHead(401).end();
      if (request.url === USUAL) return void response.end(tarball);
      const version = { name: 'tiny-set', version: '1.0.0', dist: { tarball: `http://${request.headers.host}${USUAL}` } };
      response.end(JSON.stringify({ name: 'tiny-set', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }));
    });
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'npmrc'), `//${new URL(registry.url).host}/:_authToken=for-this-test\n`);
    setEnvironment({ npm_config_userconfig: join(folder, 'npmrc'), npm_config_cache: join(folder, 'npm-cache') });
    const cacheDir = temporaryFolder();
    await getDataset('tiny', { cacheDir, registry: registry.url, manifest: tinyManifest(tarball) });
    expect(filesBelow(cacheDir)).toEqual(names);
  });

  it('comes from the canonical address when the registry does not have it', async () => {
    const registry = await serve((_, response) => void response.writeHead(404).end());
    const canonical = await serve((request, response) => {
      const file = tinyFiles[(request.url ?? '').slice('/files/'.length).replace('.gz', '')];
      response.end(file === undefined ? '' : gzipSync(file));
    });
    const cacheDir = temporaryFolder();
    const manifest = tinyManifest(tinyTarball(), tinyFiles, `${canonical.url}files/`);
    const tiny = await getDataset('tiny', { cacheDir, registry: registry.url, manifest });
    expect(tiny.test.count).toBe(4);
    expect(filesBelow(cacheDir)).toEqual(names);
  });
});

describe('a download that goes wrong leaves the cache as it was and can be started again', () => {
  it.each([
    ['one changed byte', (good: Uint8Array) => good.map((byte, i) => (i === 100 ? byte ^ 1 : byte)), /SHA-256/],
    ['a truncated file that claims to be whole', (good: Uint8Array) => good.subarray(0, good.length >> 1), /SHA-256/],
    ['an error page', () => new TextEncoder().encode('<html>please log in</html>'), /SHA-256/],
  ])('%s', async (_, spoil, message) => {
    const good = tinyTarball();
    const cacheDir = temporaryFolder();
    const manifest = tinyManifest(good);
    const bad = await registryWith(spoil(good));
    const attempt = getDataset('tiny', { cacheDir, registry: bad.url, manifest });
    await expect(attempt).rejects.toThrow(ChecksumError);
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(/tiny-set@1\.0\.0 .*run the command again/);
    expect(filesBelow(cacheDir)).toEqual([]);
    const registry = await registryWith(good);
    await getDataset('tiny', { cacheDir, registry: registry.url, manifest });
    expect(filesBelow(cacheDir)).toEqual(names);
  });

  it('a connection that breaks off', async () => {
    const good = tinyTarball();
    const cacheDir = temporaryFolder();
    const registry = await serve((_, response) => {
      response.writeHead(200, { 'content-length': good.length });
      response.write(good.subarray(0, 200), () => setTimeout(() => response.destroy(), 20));
    });
    const attempt = getDataset('tiny', { cacheDir, registry: registry.url, manifest: tinyManifest(good) });
    await expect(attempt).rejects.toThrow(ChecksumError);
    await expect(attempt).rejects.toThrow(/tiny-set@1\.0\.0 broke off .*run the command again/);
    expect(filesBelow(cacheDir)).toEqual([]);
  });

  it('an aborted signal, before and during the download', async () => {
    const good = tinyTarball();
    const cacheDir = temporaryFolder();
    const registry = await serve((_, response) => {
      response.writeHead(200, { 'content-length': good.length });
      response.write(good.subarray(0, 200));
    });
    const options = { cacheDir, registry: registry.url, manifest: tinyManifest(good) };
    await expect(getDataset('tiny', { ...options, signal: AbortSignal.abort() })).rejects.toThrow(InterruptedError);
    expect(registry.requests).toEqual([]);
    const controller = new AbortController();
    const attempt = getDataset('tiny', { ...options, signal: controller.signal, onProgress: () => controller.abort() });
    await expect(attempt).rejects.toThrow(InterruptedError);
    expect(filesBelow(cacheDir)).toEqual([]);
  });

  it('a process killed in the middle', async () => {
    const good = tinyTarball();
    const cacheDir = temporaryFolder();
    const registry = await serve((_, response) => {
      response.writeHead(200, { 'content-length': good.length });
      response.write(good.subarray(0, 200));
    });
    const target = join(cacheDir, 'tiny', 'tiny-set-1.0.0.tgz');
    const child = spawn(process.execPath, [downloadingScript(`${registry.url}${USUAL.slice(1)}`, target)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    expect(filesBelow(cacheDir)).toEqual([expect.stringMatching(/^tiny-set-1\.0\.0\.tgz\.part-/)]);
    const complete = await registryWith(good);
    await getDataset('tiny', { cacheDir, registry: complete.url, manifest: tinyManifest(good) });
    expect(filesBelow(cacheDir)).toEqual(names);
  });
});

describe('a cache that cannot be used', () => {
  it('is a StorageError that names the path and BPC_CACHE', async () => {
    const tarball = tinyTarball();
    const registry = await registryWith(tarball);
    const blocked = join(temporaryFolder(), 'a-file');
    writeFileSync(blocked, '');
    const attempt = getDataset('tiny', { cacheDir: blocked, registry: registry.url, manifest: tinyManifest(tarball) });
    await expect(attempt).rejects.toThrow(StorageError);
    await expect(attempt).rejects.toThrow(/a-file.*BPC_CACHE/);
  });

  it('is a StorageError that tells how to go on when nothing answers', async () => {
    setEnvironment({ npm_config_cache: temporaryFolder() });
    const attempt = getDataset('tiny', {
      cacheDir: temporaryFolder(),
      registry: 'http://127.0.0.1:9/',
      manifest: tinyManifest(tinyTarball()),
    });
    await expect(attempt).rejects.toThrow(StorageError);
    await expect(attempt).rejects.toThrow(/cannot fetch tiny-set@1\.0\.0.*BPC_DATA/);
  });

  it('is a StorageError without asking anybody when offline', async () => {
    const attempt = getDataset('tiny', { cacheDir: temporaryFolder(), offline: true, manifest: tinyManifest(tinyTarball()) });
    await expect(attempt).rejects.toThrow(/not on this machine.*bpc data get tiny/);
  });
});

/** A plain Node program that downloads with our sources, so that it can be killed. */
function downloadingScript(url: string, target: string): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'data'));
  const sources = {
    'errors.mjs': '../../core/src/errors.ts',
    'atomic-file.mjs': '../src/data/atomic-file.ts',
    'download.mjs': '../src/data/download.ts',
  };
  for (const [name, source] of Object.entries(sources)) {
    const text = readFileSync(fileURLToPath(new URL(source, import.meta.url)), 'utf8');
    const { outputText } = ts.transpileModule(text, { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 } });
    writeFileSync(join(folder, name), outputText.replace("'@bpc/core'", "'./errors.mjs'").replace('./atomic-file.js', './atomic-file.mjs'));
  }
  const script = join(folder, 'main.mjs');
  const call = `download(${JSON.stringify(url)}, ${JSON.stringify(target)}, { name: 'it', sha256: '' }, { onProgress: () => console.log('some') })`;
  writeFileSync(script, `import { download } from ${JSON.stringify(pathToFileURL(join(folder, 'download.mjs')).href)};\nawait ${call};\n`);
  return script;
}
