import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'bpc-memory-'));
afterAll(() => rmSync(folder, { recursive: true }));

const built = (path: string) => new URL(`../dist/${path}`, import.meta.url).href;

/** Memory after the warm-up, long enough for the engine to have its compiled code, and 100 000 transitions later, of a process of its own. */
function memory(name: string, settings: string): { readonly tensors: number[]; readonly heap: number[]; readonly rss: number[] } {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(
    file,
    `const { key, sample, sgld, hmc } = await import('${built('index.js')}');
    const { nodeWorkers } = await import('${built('node/index.js')}');
    const { memory } = await import('${import.meta.resolve('@tensorflow/tfjs-core')}');
    (await import('${new URL('../../core/dist/index.js', import.meta.url).href}')).ensureHostBackend();
    const { target } = await import('${new URL('./support/worker-models.mjs', import.meta.url).href}');
    const module = new URL('${new URL('./support/worker-models.mjs', import.meta.url).href}');
    const tensors = [], heap = [], rss = [];
    for await (const { index, chain } of sample({ ...${settings}, key: key(1), chains: 2, warmup: 30_000, draws: 1000, thin: 100 })) {
      if (chain !== 1 || (index !== 0 && index !== 999)) continue;
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (let i = 0; i < 3; i++) gc();
      const now = process.memoryUsage();
      tensors.push(memory().numTensors);
      heap.push(now.heapUsed + now.arrayBuffers);
      rss.push(now.rss);
    }
    console.log(JSON.stringify({ tensors, heap, rss }));
    process.exit(0);`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', file], { encoding: 'utf8', timeout: 300_000 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe('memory over 100 000 transitions per chain', () => {
  it.each([
    ['nuts', 'target'],
    ['hmc', '{ ...target, algorithm: ({ logDensity }) => hmc({ logDensity, stepSize: 0.2, leapfrogSteps: 5 }) }'],
    ['sgld', '{ ...target, algorithm: ({ logDensity }) => sgld({ logDensity, stepSize: 0.01 }) }'],
    ['threads', '{ model: { module }, workers: nodeWorkers({ threads: 2 }) }'],
  ])('is flat for %s', (name, settings) => {
    const { tensors, heap, rss } = memory(name, settings);
    expect(tensors).toHaveLength(2);
    expect(tensors[1]).toBe(tensors[0]);
    // A run that kept its positions would have 16 MB more.
    expect(heap[1]! / heap[0]!).toBeLessThan(1.05);
    expect(rss[1]! / rss[0]!).toBeLessThan(1.05);
  });
});
