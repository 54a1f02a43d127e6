import type { Writable } from 'node:stream';
import cliProgress from 'cli-progress';
import { etaSeconds, formatSeconds, type PhaseProgress, type Reporter } from './reporter.js';

interface TerminalOptions {
  readonly stream: NodeJS.WritableStream;
  readonly colour: boolean;
  readonly now?: () => number;
}

// A bar that flashes by for a cached download says nothing; phases below this stay silent until they end.
const patience = 2_000;

/** Bars with the time left, for a terminal. */
export function terminalReporter({ stream, colour, now = Date.now }: TerminalOptions): Reporter {
  const paint = (code: string, message: string) => (colour ? `\u001b[${code}m${message}\u001b[0m` : message);
  let active: cliProgress.SingleBar | undefined;
  const line = (message: string) => {
    // The bar owns the last line: clear it, print above, and let its next update draw it again.
    if (active !== undefined) stream.write('\r\u001b[K');
    stream.write(`${message}\n`);
  };

  const phase = (name: string, total: number): PhaseProgress => {
    const begun = now();
    let start: number | undefined;
    let bar: cliProgress.SingleBar | undefined;
    let finished = false;
    const open = () => {
      const created = new cliProgress.SingleBar({
        format: `${name} ${paint('36', '{bar}')} {percentage} % {left} {note}`,
        barCompleteChar: '█',
        barIncompleteChar: '░',
        barsize: 24,
        hideCursor: true,
        clearOnComplete: true,
        stopOnComplete: false,
        gracefulExit: false,
        stream: stream as Writable,
      });
      created.start(Math.max(1, total), 0, { left: '', note: '' });
      return created;
    };
    const end = (message: string) => {
      if (finished) return;
      finished = true;
      bar?.stop();
      if (active === bar) active = undefined;
      line(message);
    };
    return {
      update(done, note) {
        start ??= done;
        if (finished) return;
        const elapsed = now() - begun;
        if (bar === undefined) {
          if (elapsed < patience) return;
          bar = open();
          active = bar;
        }
        const eta = etaSeconds(elapsed / 1000, start, done, total);
        bar.update(Math.min(done, total), { left: eta === undefined ? '' : `${formatSeconds(eta)} left`, note: note ?? '' });
      },
      finish(note) {
        end(`${paint('32', '✓')} ${name} in ${formatSeconds((now() - begun) / 1000)}${note === undefined ? '' : ` (${note})`}`);
      },
      stop() {
        end(`${paint('33', '■')} ${name}: stopped after ${formatSeconds((now() - begun) / 1000)}`);
      },
    };
  };
  return { phase, note: line, warn: (message) => line(`${paint('33', 'warning:')} ${message}`) };
}
