import { foldIn, type Key } from '@bpc/core';

/** Beyond every transition: numbers to fold in for what happens beside them. */
const START = 2 ** 52;
const STEP_SIZE = START + 1;
const ROWS = START + 2;

/** The most transitions of a chain whose keys differ from those of `START` and its neighbours. */
export const MOST_STEPS = START;

/** The randomness of one chain. Nothing in it depends on how the work is cut into pieces. */
export interface ChainKeys {
  /** Of transition t (counted from 0, warm-up included), or of the block of transitions that starts there. */
  transition(t: number): Key;
  /** Of try i to find a start. */
  start(i: number): Key;
  /** Of the search for a step size before transition t. */
  stepSize(t: number): Key;
  /** Of the rows of data that transition t sees. */
  rows(t: number): Key;
}

/** Keys of chain c: `foldIn(foldIn(key, c), t)` for transition t. */
export function chainKeys(key: Key, chain: number): ChainKeys {
  const own = foldIn(key, chain);
  const starts = foldIn(own, START);
  const searches = foldIn(own, STEP_SIZE);
  const rows = foldIn(own, ROWS);
  return {
    transition: (t) => foldIn(own, t),
    start: (i) => foldIn(starts, i),
    stepSize: (t) => foldIn(searches, t),
    rows: (t) => foldIn(rows, t),
  };
}
