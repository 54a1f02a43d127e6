import { etaSeconds, formatSeconds, type PhaseProgress, type Reporter } from './reporter.js';

interface PlainOptions {
  readonly write: (line: string) => void;
  /** Clock in milliseconds. */
  readonly now?: () => number;
  /** Milliseconds between progress lines. */
  readonly interval?: number;
}

/** Plain lines for logs and pipes: one when a phase starts to take long, then one every ten seconds, one at its end. */
export function plainReporter({ write, now = Date.now, interval = 10_000 }: PlainOptions): Reporter {
  const phase = (name: string, total: number): PhaseProgress => {
    const begun = now();
    let printed = begun;
    let start: number | undefined;
    let finished = false;
    const end = (how: string) => {
      if (!finished) write(`${name}: ${how}`);
      finished = true;
    };
    return {
      update(done, note) {
        start ??= done;
        if (finished || now() - printed < interval) return;
        printed = now();
        const elapsed = (printed - begun) / 1000;
        const eta = etaSeconds(elapsed, start, done, total);
        const left = eta === undefined ? '' : `, ${formatSeconds(eta)} left`;
        write(
          `${name}: ${Math.floor((100 * done) / Math.max(1, total))} % after ${formatSeconds(elapsed)}${left}${note === undefined ? '' : ` (${note})`}`,
        );
      },
      finish(note) {
        end(`done in ${formatSeconds((now() - begun) / 1000)}${note === undefined ? '' : ` (${note})`}`);
      },
      stop() {
        end(`stopped after ${formatSeconds((now() - begun) / 1000)}`);
      },
    };
  };
  return { phase, note: write, warn: (message) => write(`warning: ${message}`) };
}

/** Only warnings. */
export function quietReporter({ write }: { readonly write: (line: string) => void }): Reporter {
  const silent: PhaseProgress = { update() {}, finish() {}, stop() {} };
  return { phase: () => silent, note() {}, warn: (message) => write(`warning: ${message}`) };
}
