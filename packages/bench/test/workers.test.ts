import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { schedule } from '../src/workers/index.js';

describe('schedule', () => {
  it('serves in the order of the list, each task after those it names', () => {
    const order = schedule([{}, { after: [0] }, {}, { after: [0, 2] }]);
    expect([order.take(), order.take(), order.take()]).toEqual([0, 2, undefined]);
    expect(order.empty).toBe(false);
    order.finish(2);
    expect(order.take()).toBeUndefined();
    order.finish(0);
    expect([order.take(), order.take(), order.take()]).toEqual([1, 3, undefined]);
    expect(order.empty).toBe(true);
  });

  it.each([[[{ after: [0] }]], [[{ after: [1] }, {}]], [[{}, { after: [-1] }]]])('refuses %j, which would never end', (tasks) => {
    expect(() => schedule(tasks)).toThrow(/waits for task/);
  });
});

// Threads run what is built, so these tests do too, in a process of their own.
function inNewProcess(body: string): unknown {
  const built = new URL('../dist/workers/index.js', import.meta.url).href;
  const file = join(mkdtempSync(join(tmpdir(), 'bpc-workers-')), 'test.mjs');
  const moduleOf =
    "const moduleOf = (body) => 'data:text/javascript,' + encodeURIComponent('export async function task(options, tools) {' + body + '}');";
  writeFileSync(file, `const { taskPool } = await import(${JSON.stringify(built)});\n${moduleOf}\n${body}`);
  const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 30_000 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe.each([0, 2])('a pool of %i threads', (workers) => {
  it('starts a task only when those it waits for are done, and returns results in order, with what each took', () => {
    const result = inNewProcess(`
      const pool = taskPool({ workers: ${workers}, shared: new Int32Array(new SharedArrayBuffer(4)) });
      const module = moduleOf(\`
        const before = Atomics.load(tools.shared, 0);
        if (options.slow) await new Promise((resolve) => setTimeout(resolve, 60));
        Atomics.add(tools.shared, 0, 1);
        return before;
      \`);
      const task = (slow, after) => ({ module, export: 'task', options: { slow }, after });
      const took = [];
      const results = await pool.run([task(true, []), task(false, [0]), task(false, [0, 1])], {
        onResult: (index, _, seconds) => { took[index] = seconds >= 0.05; },
      });
      await pool.dispose();
      console.log(JSON.stringify({ results, slow: took[0] }));
    `);
    expect(result).toEqual({ results: [0, 1, 2], slow: true });
  });

  it('ends when a task fails that others wait for', () => {
    const result = inNewProcess(`
      const pool = taskPool({ workers: ${workers}, shared: undefined });
      const module = moduleOf('throw new Error("no luck")');
      const tasks = [{ module, export: 'task', options: {} }, { module, export: 'task', options: {}, after: [0] }];
      const message = await pool.run(tasks).then(() => 'it went well', (error) => error.message);
      await pool.dispose();
      console.log(JSON.stringify(message));
    `);
    expect(result).toBe('no luck');
  });
});
