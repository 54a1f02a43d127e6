import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How to start a subject: a program that answers counts with milliseconds. */
export interface SubjectCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** Milliseconds of some steps. */
export interface Times {
  readonly ms: readonly number[];
  /** Processor time of all of them, threads added up, and the time that passed meanwhile. */
  readonly cpuMs?: number;
  readonly wallMs?: number;
  readonly peakRssMb: number;
}

/** Why a subject has no figure. */
export interface Absence {
  readonly absent: string;
}

/** A running subject. */
export interface Subject {
  readonly version: string;
  /** Milliseconds of `count` steps, or why there are none: a subject may end while it is timed. */
  time(count: number): Promise<Times | Absence>;
  stop(): void;
}

type Answer = { readonly ready: true; readonly version?: string } | Times | { readonly failed: string };

/**
 * Starts a subject and waits until it is warm.
 *
 * @returns the subject, or why it is not there: a peer that is not installed is a result, not an error.
 */
export async function startSubject({ command, args }: SubjectCommand, signal: AbortSignal): Promise<Subject | Absence> {
  const child: ChildProcess = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Python would leave compiled files beside the peers.
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    signal,
    killSignal: 'SIGKILL',
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error('a subject has no pipes');
  // Writing to one that has ended fails here too; that it ended is what counts, and `close` tells it.
  stdin.on('error', () => undefined);
  let complaint = '';
  stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000);
  });
  const ended = new Promise<Answer>((resolve) => {
    child.once('error', (error) => resolve({ failed: error.message }));
    child.once('close', (code, killer) => {
      const lines = complaint.trim().split('\n');
      // An uncaught error is followed by its stack in Node, and ends the complaint in Python.
      const last = lines.filter((line) => /^[\w.]*(?:Error|Exception)\b/.test(line)).at(-1) ?? lines.at(-1) ?? '';
      resolve({ failed: last === '' ? `it ended (${killer ?? `exit code ${code}`})` : last });
    });
  });
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Answer> => {
    for (;;) {
      const next = await Promise.race([lines.next(), ended]);
      if ('failed' in next || 'ready' in next || 'ms' in next) return next;
      if (next.done === true) return ended;
      // Engines print greetings of their own on the same stream.
      if (next.value.startsWith('{')) return JSON.parse(next.value) as Answer;
    }
  };
  const first = await answer();
  if (!('ready' in first)) {
    child.kill('SIGKILL');
    return { absent: 'failed' in first ? first.failed : 'it did not start' };
  }
  return {
    version: first.version ?? '',
    async time(count) {
      stdin.write(`${count}\n`);
      const times = await answer();
      return 'ms' in times ? times : { absent: `ended while it was timed: ${'failed' in times ? times.failed : 'no times'}` };
    },
    stop: () => void child.kill('SIGKILL'),
  };
}
