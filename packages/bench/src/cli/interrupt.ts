/** Turns signals into an abort, once; the second signal leaves at once. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Stops listening, so that the process can end. */
  release(): void;
}

interface InterruptOptions {
  readonly announce: (message: string) => void;
  /** Called at the second signal. */
  readonly leave?: (code: number) => void;
}

/** The shell's convention: 128 + SIGINT. */
export const interruptedExitCode = 130;

function leaveAtOnce(code: number): never {
  // Progress bars hide the cursor, and nobody else will bring it back now.
  if (process.stderr.isTTY) process.stderr.write('\u001b[?25h\n');
  process.exit(code);
}

/** Listens for Ctrl-C and for a polite kill. */
export function listenForInterrupt({ announce, leave = leaveAtOnce }: InterruptOptions): Interrupt {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) {
      leave(interruptedExitCode);
      return;
    }
    announce('stopping after the current step and saving; press Ctrl-C again to leave at once');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
