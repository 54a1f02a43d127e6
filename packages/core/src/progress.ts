/** What a long run tells its caller. Times are seconds. */
export type Progress<Info> = {
  /** Steps completed, counted from the beginning of the run, resumed parts included. */
  readonly step: number;
  readonly total: number;
  /** Since this process started the run. */
  readonly elapsed: number;
  /** Estimated time to the end; `undefined` until a step of this process is done. */
  readonly eta: number | undefined;
  readonly info: Info;
};

/** Options of `progressReporter`. */
export type ProgressOptions<Info> = {
  readonly onProgress: ((progress: Progress<Info>) => void) | undefined;
  readonly total: number;
  /** Steps that were completed before this process took over. */
  readonly start: number;
  /** Least time between two reports in seconds (0.1 by default: smooth to the eye, cheap to print). */
  readonly interval?: number | undefined;
  /** Seconds on a clock that never goes back; replaceable in tests. */
  readonly now?: () => number;
};

/** Returns a function to call after every step, which reports the first, the last, and at most one per interval between. */
export function progressReporter<Info>({
  onProgress,
  total,
  start,
  interval = 0.1,
  now = () => performance.now() / 1000,
}: ProgressOptions<Info>): (step: number, info: Info) => void {
  if (onProgress === undefined) return () => undefined;
  const begin = now();
  let last = Number.NEGATIVE_INFINITY;
  return (step, info) => {
    const time = now();
    if (step < total && time - last < interval) return;
    last = time;
    const elapsed = time - begin;
    const done = step - start;
    onProgress({ step, total, elapsed, eta: done > 0 ? (elapsed / done) * (total - step) : undefined, info });
  };
}
