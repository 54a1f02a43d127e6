import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What `conformance/run.mjs --json` prints. */
export type ConformanceResult = {
  readonly passed: number;
  readonly passedOnBackend: number;
  readonly failed: readonly { readonly name: string; readonly message: string }[];
  readonly excluded: Readonly<Record<string, number>>;
  readonly lowered: Readonly<Record<string, number>>;
  readonly fallback: Readonly<Record<string, number>>;
  readonly forbidden: readonly string[];
};

/** Runs the script in a process of its own: the suite resets tfjs's engine. */
export function conformance(...options: string[]): Promise<{ readonly status: number; readonly result: ConformanceResult }> {
  const script = fileURLToPath(new URL('../conformance/run.mjs', import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, '--json', ...options], { maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      const line = stdout.trimEnd().split('\n').at(-1) ?? '';
      if (!line.startsWith('{')) reject(new Error(`the script printed no result: ${stderr}`));
      else resolve({ status: typeof error?.code === 'number' ? error.code : 0, result: JSON.parse(line) as ConformanceResult });
    });
  });
}
