import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CheckpointError, StorageError } from '@bpc/core';
import { describe, expect, it } from 'vitest';
import { lockFolder } from '../src/run-folder/folder-lock.js';
import { examineRunFolder, openRunFolder } from '../src/run-folder/index.js';

const newFolder = () => mkdtempSync(join(tmpdir(), 'bpc-folder-'));
const fingerprint = { steps: 3, seeds: 1 };

describe('openRunFolder', () => {
  it('keeps a folder for one run at a time, until it is released', async () => {
    const path = join(newFolder(), 'run');
    const first = await openRunFolder({ path, fingerprint });
    await expect(openRunFolder({ path, fingerprint })).rejects.toThrow(StorageError);
    await expect(openRunFolder({ path, fingerprint })).rejects.toThrow(/in use by another bpc process.*--out/);
    await first.release();
    const second = await openRunFolder({ path, fingerprint });
    expect(second.resumed).toBe(true);
    await second.release();
  });

  it('refuses the folder of another version politely, changing nothing', async () => {
    const path = newFolder();
    mkdirSync(join(path, 'checkpoint'));
    const file = join(path, 'checkpoint', 'run.json');
    for (const old of [fingerprint, { format: 99, ...fingerprint }]) {
      writeFileSync(file, JSON.stringify(old));
      await expect(openRunFolder({ path, fingerprint })).rejects.toThrow(CheckpointError);
      await expect(openRunFolder({ path, fingerprint })).rejects.toThrow(/format (1|99), written by another version/);
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(old);
    }
  });
});

describe('examineRunFolder', () => {
  it('refuses other settings, files and foreign folders without writing anything', async () => {
    const path = join(newFolder(), 'a', 'run');
    expect(await examineRunFolder({ path, fingerprint })).toBeUndefined();
    expect(existsSync(dirname(path))).toBe(false);
    await (await openRunFolder({ path, fingerprint })).release();
    expect(await examineRunFolder({ path, fingerprint })).toEqual(fingerprint);
    await expect(examineRunFolder({ path, fingerprint: { ...fingerprint, steps: 4 } })).rejects.toThrow(/steps \(there 3, now 4\)/);
    await expect(examineRunFolder({ path: dirname(path), fingerprint })).rejects.toThrow(/not empty/);
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    for (const taken of [file, join(file, 'run')])
      await expect(examineRunFolder({ path: taken, fingerprint })).rejects.toThrow(/is a file/);
  });
});

describe('lockFolder', () => {
  it('gives a folder back when the process that had it is killed', async () => {
    const folder = newFolder();
    const built = new URL('../dist/run-folder/folder-lock.js', import.meta.url).href;
    const script = `const { lockFolder } = await import(${JSON.stringify(built)}); await lockFolder(process.argv[1]); console.log('held'); setInterval(() => {}, 1000);`;
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await expect(lockFolder(folder)).rejects.toThrow(StorageError);
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
    await (await lockFolder(folder)).release();
  });
});
