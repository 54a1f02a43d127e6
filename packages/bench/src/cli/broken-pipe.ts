/** The parts of a process that pipes concern. */
type Piped = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'exit' | 'exitCode'>;

const isClosedPipe = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EPIPE';

/**
 * Lets `bpc … | head` end without a complaint.
 *
 * A reader of results that closes its end wants no more of them, so the process ends. A reader of progress is not what a run
 * is for: without it the run goes on, since its results are in files.
 */
export function endQuietlyWhenUnread(process: Piped): void {
  process.stdout.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
    process.exit(process.exitCode ?? 0);
  });
  process.stderr.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
  });
}
