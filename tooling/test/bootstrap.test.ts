import { spawn } from 'node:child_process';
import { readFileSync, rmSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome, printed, StubRepository } from './stub-repository.js';

let repository: StubRepository;
beforeAll(() => {
  repository = new StubRepository();
});
afterAll(() => rmSync(repository.root, { recursive: true, force: true }));

describe('npm start', () => {
  it('installs once and builds once when two are started at the same time, and both run', async () => {
    const both = await Promise.all([repository.run(['start', '--a b']), repository.run(['start', 'two'])]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.filter(({ stderr }) => stderr.includes('Installing'))).toHaveLength(1);
    expect(both.filter(({ stderr }) => stderr.includes('Building'))).toHaveLength(1);
    expect(JSON.parse(both[0].stdout)).toEqual({ args: ['learn', '--a b'], stage: 'started' });
  });

  it('neither installs nor builds a second time, and keeps stdout for the program', async () => {
    const { stdout, stderr } = await repository.run(['start']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout).args).toEqual(['learn']);
  });

  it("gives back the program's exit code", async () => {
    expect((await repository.run(['bpc', '--exit', '7'])).code).toBe(7);
  });

  it('builds without installing when a source changed', async () => {
    utimesSync(repository.source, new Date(), new Date(Date.now() + 5_000));
    const { stderr } = await repository.run(['start']);
    expect(stderr).toContain('Building');
    expect(stderr).not.toContain('Installing');
  });

  it('installs again after an install that did not finish', async () => {
    for (const file of ['.bpc-stamp', '.package-lock.json']) rmSync(join(repository.root, 'node_modules', file));
    expect((await repository.run(['start'])).stderr).toContain('Installing');
  });

  it('accepts an install that npm itself finished', async () => {
    rmSync(join(repository.root, 'node_modules', '.bpc-stamp'));
    expect((await repository.run(['start'])).stderr).not.toContain('Installing');
  });

  it('takes over the lock of a process that no longer runs', async () => {
    repository.write('.cache/bootstrap.lock', JSON.stringify({ pid: 2 ** 22 + 1, host: hostname() }));
    rmSync(join(repository.root, '.cache', 'build-stamp'));
    expect((await repository.run(['start'])).code).toBe(0);
  });

  it('does not run the program when the build fails, and runs it once the source is mended', async () => {
    const good = readFileSync(repository.source, 'utf8');
    repository.write('packages/bench/src/main.js', 'SYNTAX ERROR');
    const { code, stdout, stderr } = await repository.run(['start']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('build failed');
    repository.write('packages/bench/src/main.js', good);
    expect((await repository.run(['start'])).code).toBe(0);
  });

  it('refuses an unknown command and names the known ones', async () => {
    const { code, stderr } = await repository.run(['strat']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/'strat'.*start/);
  });

  it('tells an old Node what is needed', async () => {
    const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.18.3" } })';
    const { code, stderr } = await repository.run(['start'], { flags: ['--import', `data:text/javascript,${encodeURIComponent(old)}`] });
    expect(code).toBe(2);
    expect(stderr).toContain('needs Node 20.19 or newer');
  });
});

describe.skipIf(process.platform === 'win32')('a signal', () => {
  const signals = (stdout: string) => stdout.split('\n').filter((line) => line.includes('signal'));

  it('reaches the program once, although the terminal and npm both send it', async () => {
    const child = repository.spawn(['start', '--wait']);
    const end = outcome(child);
    await printed(child, 'started');
    child.kill('SIGINT');
    setTimeout(() => child.kill('SIGINT'), 50);
    const { code, stdout } = await end;
    expect(signals(stdout)).toEqual(['{"signal":"SIGINT"}']);
    expect(code).toBe(130);
  });

  it('sent again by an impatient user reaches the program again', async () => {
    const child = repository.spawn(['start', '--wait']);
    const end = outcome(child);
    await printed(child, 'started');
    child.kill('SIGINT');
    setTimeout(() => child.kill('SIGINT'), 320);
    expect(signals((await end).stdout)).toHaveLength(2);
  });

  it('that kills npm alone ends the program too, as SIGTERM would', async () => {
    const npm = spawn('npm', ['start', '--silent', '--', '--wait'], { cwd: repository.root });
    const end = outcome(npm);
    await printed(npm, 'started');
    npm.kill('SIGKILL');
    // `close` comes when the last holder of the pipe, the program, has ended.
    expect(signals((await end).stdout)).toEqual(['{"signal":"SIGTERM"}']);
  });

  it('during an install ends npm as well, and the next start installs again', async () => {
    rmSync(join(repository.root, 'node_modules'), { recursive: true });
    const child = repository.spawn(['start']);
    const end = outcome(child);
    await new Promise((resolve) => child.stderr?.once('data', () => setTimeout(resolve, 100)));
    child.kill('SIGINT');
    expect((await end).code).toBe(130);
    const again = await repository.run(['start']);
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('Installing') });
  });
});
