import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Manifest, parseManifest } from '@bpc/bench';
import { create } from 'tar';
import { onTestFinished } from 'vitest';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** An idx file of unsigned bytes. */
export function idx(shape: readonly number[], values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  bytes.set([0, 0, 8, shape.length]);
  const view = new DataView(bytes.buffer);
  for (const [axis, length] of shape.entries()) view.setUint32(4 + 4 * axis, length);
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

/** 8 training and 4 test images of 2 × 3 pixels in two classes; image i of a file is filled with `10 i + pixel`. */
const images = (count: number) =>
  idx(
    [count, 2, 3],
    Array.from({ length: count * 6 }, (_, p) => 10 * Math.floor(p / 6) + (p % 6)),
  );
export const tinyFiles: Readonly<Record<string, Uint8Array>> = {
  'train-images-idx3-ubyte': images(8),
  'train-labels-idx1-ubyte': idx([8], [0, 1, 0, 1, 0, 1, 0, 1]),
  't10k-images-idx3-ubyte': images(4),
  't10k-labels-idx1-ubyte': idx([4], [1, 1, 0, 0]),
};

export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'bpc-data-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** The files as the tarball of a package, made like npm makes it. */
export function tinyTarball(files = tinyFiles): Uint8Array {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'package', 'data'), { recursive: true });
  writeFileSync(join(folder, 'package', 'package.json'), JSON.stringify({ name: 'tiny-set', version: '1.0.0' }));
  writeFileSync(join(folder, 'package', 'data', 'unwanted'), 'not asked for');
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, 'package', 'data', name), bytes);
  create({ file: join(folder, 'made.tgz'), cwd: folder, gzip: true, sync: true, portable: true }, ['package']);
  return readFileSync(join(folder, 'made.tgz'));
}

/** A manifest with the one data set `tiny`, whose hashes fit `files` and `tarball`. */
export function tinyManifest(tarball: Uint8Array, files = tinyFiles, base?: string): Manifest {
  const [trainImages, trainLabels, testImages, testLabels] = Object.entries(files).map(([name, bytes]) => ({
    name,
    bytes: bytes.length,
    sha256: sha256(bytes),
  }));
  const downloads = Object.entries(files).map(([name, bytes]) => ({
    name: `${name}.gz`,
    bytes: gzipSync(bytes).length,
    sha256: sha256(gzipSync(bytes)),
  }));
  const npm = {
    kind: 'npm',
    package: 'tiny-set',
    version: '1.0.0',
    sha256: sha256(tarball),
    bytes: tarball.length,
    folder: 'package/data',
  };
  return parseManifest({
    version: 1,
    datasets: {
      tiny: {
        title: 'Tiny',
        licence: 'none',
        shape: [2, 3, 1],
        classes: 2,
        classNames: ['even', 'odd'],
        mirrored: true,
        normalisation: { scale: 255, mean: [0.5], std: [0.25] },
        splits: { train: 6, validation: 2, test: 4 },
        division: { kind: 'lists', validation: { seed: 0, perClass: 1, sha256: sha256('2,3'), indices: [2, 3] } },
        layouts: [
          {
            format: 'idx',
            files: { trainImages, trainLabels, testImages, testLabels },
            sources: base === undefined ? [npm] : [npm, { kind: 'url', base, downloads }],
          },
        ],
      },
    },
  });
}

/** A loopback HTTP server, closed at the end of the test. */
export async function serve(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly url: string; readonly requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    handle(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the test server has no port');
  return { url: `http://127.0.0.1:${address.port}/`, requests };
}

/** Names of all files below a folder. */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
