import { expect } from 'vitest';
import { runCli } from '../src/cli/run-cli.js';

/** Demands that `bpc bench …` refuses these words: exit code 2, nothing on stdout, an error with a remedy that mentions so much. */
export async function expectRefusal(args: readonly string[], mentions: RegExp): Promise<void> {
  let stdout = '';
  const lines: string[] = [];
  const io = {
    stdout: (text: string) => {
      stdout += text;
    },
    stderr: (line: string) => lines.push(line),
  };
  const code = await runCli(['bench', ...args], io);
  const stderr = lines.join('\n');
  expect(stderr).toMatch(mentions);
  expect(stderr).toMatch(/^error: .*\nremedy: ./);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
}
