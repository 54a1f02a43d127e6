import { loadavg } from 'node:os';

/** What else the machine did, as far as its load average tells; the bench itself is part of it. */
export interface LoadRecord {
  readonly start: number;
  readonly end: number;
  /** The highest value seen while each case was timed. */
  readonly highest: Readonly<Record<string, number>>;
}

/** Notes the one-minute load average as a bench goes on. */
export interface LoadMeter {
  note(caseName: string): void;
  record(): LoadRecord;
}

const now = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100;

/** Starts noting. */
export function loadMeter(read: () => number = now): LoadMeter {
  const start = read();
  const highest: Record<string, number> = {};
  return {
    note(caseName) {
      highest[caseName] = Math.max(highest[caseName] ?? 0, read());
    },
    record: () => ({ start, end: read(), highest }),
  };
}

/**
 * Why a machine is too busy for figures, if it is: engines that wait for each other's threads by spinning lose far more than
 * their share of a core, and not all of them alike.
 */
export function tooBusy(load: number, cores: number): string | undefined {
  if (load <= cores / 2) return undefined;
  return `the load average is ${load} on ${cores} cores: other work distorts these figures and their ratios, most of all with several threads`;
}
