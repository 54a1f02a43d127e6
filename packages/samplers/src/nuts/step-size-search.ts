import type { Leapfrog } from './leapfrog.js';
import type { RandomStream } from './random-stream.js';
import { momentumOf, type Workspace } from './workspace.js';

/** The search for a first step size, one gradient at a time. */
export interface StepSizeSearch {
  /** Starts from slot 0, which has position and gradient. The slot to evaluate next. */
  begin(stepSize: number): number;
  /** Goes on after that slot is known. The slot to evaluate next, or −1 at the end. */
  advance(): number;
  /** Where the search is. */
  readonly stepSize: number;
  /** Whether it ended without a step size. */
  readonly failed: boolean;
}

/** The search ends between two neighbours, a factor 2 apart, on either side of this acceptance probability (Stan's). */
const CROSSING = Math.log(0.8);
const LARGEST = 1e7;

/**
 * Stan's search for a reasonable step size (Hoffman & Gelman 2014, algorithm 4): doubles or halves it, each time with a fresh
 * momentum, until the acceptance probability of one leapfrog step crosses 0.8.
 *
 * `configure` sets the step size of the integrator.
 */
export function makeStepSizeSearch(
  workspace: Workspace,
  integrator: Leapfrog,
  stream: RandomStream,
  configure: (stepSize: number) => void,
): StepSizeSearch {
  const { size, values, energies } = workspace;
  let stepSize = 1;
  let direction = 0;
  let failed = false;

  const attempt = (): number => {
    configure(stepSize);
    stream.normals(values, momentumOf(workspace, 0), size);
    integrator.enter(0);
    integrator.leave(0, 1, false);
    return 1;
  };

  return {
    begin(from) {
      stepSize = from;
      direction = 0;
      failed = false;
      return attempt();
    },
    advance() {
      integrator.arrive(1, false);
      const gain = (energies[0] as number) - (energies[1] as number);
      const turn = gain > CROSSING ? 1 : -1;
      if (direction === 0) direction = turn;
      if (turn !== direction) return -1;
      stepSize *= direction === 1 ? 2 : 0.5;
      failed = stepSize > LARGEST || stepSize === 0;
      return failed ? -1 : attempt();
    },
    get stepSize() {
      return stepSize;
    },
    get failed() {
      return failed;
    },
  };
}
