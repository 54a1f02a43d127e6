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

type Answer = { readonly ready: true; readonly version?: string } | Times | { readonly result: unknown } | { readonly failed: string };

/** A process whose lines of JSON are answers. */
interface Conversation {
  /** The next answer; that it ended is one too. */
  answer(): Promise<Answer>;
  write(line: string): void;
  stop(): void;
}

function converse({ command, args }: SubjectCommand, signal: AbortSignal): Conversation {
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
  return {
    async answer() {
      for (;;) {
        const next = await Promise.race([lines.next(), ended]);
        if ('failed' in next || 'ready' in next || 'ms' in next || 'result' in next) return next;
        if (next.done === true) return ended;
        // Engines print greetings of their own on the same stream.
        if (next.value.startsWith('{')) return JSON.parse(next.value) as Answer;
      }
    },
    write: (line) => void stdin.write(`${line}\n`),
    stop: () => void child.kill('SIGKILL'),
  };
}

/**
 * Starts a subject and waits until it is warm.
 *
 * @returns the subject, or why it is not there: a peer that is not installed is a result, not an error.
 */
export async function startSubject(command: SubjectCommand, signal: AbortSignal): Promise<Subject | Absence> {
  const subject = converse(command, signal);
  const first = await subject.answer();
  if (!('ready' in first)) {
    subject.stop();
    return { absent: 'failed' in first ? first.failed : 'it did not start' };
  }
  return {
    version: first.version ?? '',
    async time(count) {
      subject.write(String(count));
      const times = await subject.answer();
      return 'ms' in times ? times : { absent: `ended while it was timed: ${'failed' in times ? times.failed : 'no times'}` };
    },
    stop: () => subject.stop(),
  };
}

/** A running subject that does what requests ask. */
export interface Responder {
  readonly version: string;
  /** The result of one request, or why there is none. */
  ask<T>(request: object): Promise<{ readonly result: T } | Absence>;
  stop(): void;
}

/** Starts a subject that answers requests; it has imported what it needs, and compiled nothing. */
export async function startResponder(command: SubjectCommand, signal: AbortSignal): Promise<Responder | Absence> {
  const subject = converse(command, signal);
  const first = await subject.answer();
  if (!('ready' in first)) {
    subject.stop();
    return { absent: 'failed' in first ? first.failed : 'it did not start' };
  }
  return {
    version: first.version ?? '',
    async ask<T>(request: object) {
      subject.write(JSON.stringify(request));
      const answer = await subject.answer();
      return 'result' in answer ? { result: answer.result as T } : { absent: 'failed' in answer ? answer.failed : 'it gave no result' };
    },
    stop: () => subject.stop(),
  };
}

/** Waits for the one result of a subject that does something once. */
export async function askOnce<T>(command: SubjectCommand, signal: AbortSignal): Promise<{ readonly result: T } | Absence> {
  const subject = converse(command, signal);
  const answer = await subject.answer();
  subject.stop();
  // Whoever wrote the subject says what its result is.
  return 'result' in answer ? { result: answer.result as T } : { absent: 'failed' in answer ? answer.failed : 'it gave no result' };
}
