/** One long piece of work on a progress line. */
export interface PhaseProgress {
  /** Absolute position, in the units of `total`; `note` is shown at the end of the line. */
  update(done: number, note?: string): void;
  /** Ends the phase. Calling it twice is harmless. */
  finish(note?: string): void;
  /** Ends a phase that did not reach its end. */
  stop(): void;
}

/** Where a command tells people what it is doing. Nothing here ever goes to stdout. */
export interface Reporter {
  /** Starts a phase of `total` units of work. */
  phase(name: string, total: number): PhaseProgress;
  /** One line of information. */
  note(message: string): void;
  /** One line that also `--quiet` shows. */
  warn(message: string): void;
}

/** Seconds as a person reads them: `8 s`, `1 min 20 s`, `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/**
 * Seconds left, from the rate since the phase started; undefined until there is something to go by.
 *
 * `start` is where the phase stood at its first update: a resumed phase has done nothing yet, whatever its position.
 */
export function etaSeconds(elapsed: number, start: number, done: number, total: number): number | undefined {
  if (done <= start || elapsed <= 0) return undefined;
  return (elapsed / (done - start)) * Math.max(0, total - done);
}
