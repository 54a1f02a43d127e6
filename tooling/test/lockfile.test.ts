import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { complete, missingOptional, platformOf } from '../complete-lockfile.mjs';

const root = join(import.meta.dirname, '../..');
const lockfiles = [
  'package-lock.json',
  'docs/package-lock.json',
  'tooling/browser/package-lock.json',
  'tooling/tfjs-node/package-lock.json',
].map((file) => ({
  file,
  lock: JSON.parse(readFileSync(join(root, file), 'utf8')),
}));

describe.each(lockfiles)('$file', ({ lock }) => {
  it('has an entry for every optional dependency, so that npm ci accepts it on every platform', () => {
    expect(missingOptional(lock)).toEqual([]);
  });

  it('names no registry: every install uses the configured one', () => {
    const entries = Object.values<{ resolved?: string; link?: boolean }>(lock.packages);
    expect(entries.filter(({ resolved, link }) => resolved !== undefined && link !== true)).toEqual([]);
  });
});

describe('completing a lockfile', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/tool': {
        version: '1.2.3',
        dev: true,
        optionalDependencies: { '@tool/linux-x64': '1.2.3', '@tool/win32-x64': '1.2.3' },
      },
      'node_modules/@tool/linux-x64': { version: '1.2.3', optional: true },
    },
  };

  it('adds what is missing with its platform, and keeps the rest', () => {
    const { packages } = complete(lock);
    expect(packages['node_modules/@tool/win32-x64']).toEqual({ version: '1.2.3', dev: true, optional: true, os: ['win32'], cpu: ['x64'] });
    expect(packages).toMatchObject(lock.packages);
    expect(missingOptional(complete(lock))).toEqual([]);
  });

  it.each([
    ['@biomejs/cli-linux-arm64-musl', { os: ['linux'], cpu: ['arm64'], libc: ['musl'] }],
    ['@turbo/windows-64', { os: ['win32'], cpu: ['x64'] }],
    ['@rollup/rollup-linux-x64-gnu', { os: ['linux'], cpu: ['x64'], libc: ['glibc'] }],
    ['@oxc-parser/binding-wasm32-wasi', { cpu: ['wasm32'] }],
    ['lightningcss-darwin-arm64', { os: ['darwin'], cpu: ['arm64'] }],
  ])('reads the platform of %s', (name, platform) => {
    expect(platformOf(name)).toEqual(platform);
  });
});
