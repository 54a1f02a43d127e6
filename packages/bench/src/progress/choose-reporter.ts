import type { WriteStream } from 'node:tty';
import { plainReporter, quietReporter } from './plain-reporter.js';
import type { Reporter } from './reporter.js';
import { terminalReporter } from './terminal-reporter.js';

interface ReporterChoice {
  readonly quiet?: boolean;
  readonly stream?: WriteStream;
  readonly environment?: NodeJS.ProcessEnv;
}

/** True when escape codes may be written: a terminal that is not dumb, and no `NO_COLOR`. */
export function mayColour(stream: Pick<WriteStream, 'isTTY'>, environment: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && environment['TERM'] !== 'dumb' && (environment['NO_COLOR'] ?? '') === '';
}

/** Bars on a terminal, lines elsewhere, almost nothing with `--quiet`; always on stderr. */
export function chooseReporter({ quiet = false, stream = process.stderr, environment = process.env }: ReporterChoice = {}): Reporter {
  const write = (line: string) => {
    stream.write(`${line}\n`);
  };
  if (quiet) return quietReporter({ write });
  if (stream.isTTY !== true || environment['TERM'] === 'dumb') return plainReporter({ write });
  return terminalReporter({ stream, colour: mayColour(stream, environment) });
}
