import type { Leapfrog } from './leapfrog.js';
import type { RandomStream } from './random-stream.js';
import { joinPieces, joinPoints } from './turning.js';
import { momentumOf, rowOf, type Workspace } from './workspace.js';

/** A trajectory that grows by doubling, one gradient at a time. Slots name points of the workspace. */
export interface Tree {
  /** Starts at slot 0, which has position, gradient, momentum and energy. The slot to evaluate next. */
  begin(): number;
  /** Goes on after the density and gradient of that slot are known. The slot to evaluate next, or −1 at the end. */
  advance(): number;
  /** The slot drawn from the trajectory. */
  readonly proposal: number;
  /** Completed doublings. */
  readonly depth: number;
  readonly leapfrogSteps: number;
  /** Mean of min(1, exp(H₀ − H)) over all new points. */
  readonly acceptance: number;
  /** The slots between which the energy error exceeded the threshold, or −1. */
  readonly divergedFrom: number;
  readonly divergedTo: number;
}

/** Weights are kept relative to exp(shift); it moves before a weight exceeds exp(LARGEST). */
const LARGEST = 500;

/** Slots and rows that a tree of `maxDepth` doublings needs. */
export const treeSlots = (maxDepth: number): number => 3 * (maxDepth + 2) + 1;
export const treeRows = (maxDepth: number): number => 2 * (maxDepth + 1) + 1;

/**
 * Multinomial NUTS as in Stan (Hoffman & Gelman 2014; Betancourt 2017): doublings in random directions; within a new subtree a point is
 * drawn with probability ∝ exp(−H), across doublings the new subtree's with probability min(1, w_new / w_old).
 *
 * Without recursion, so that a promise can stand between any two gradients: after leaf n (counted from 0) of a subtree, one finished
 * pair of pieces is joined per trailing 1 bit of n. A stack holds one waiting piece per level: its ends, proposal, weight
 * and sum of momenta. Doubles that change live in typed arrays: a captured variable that holds one is boxed at every assignment.
 */
export function makeTree(
  workspace: Workspace,
  integrator: Leapfrog,
  { uniform }: RandomStream,
  maxDepth: number,
  divergenceThreshold: number,
): Tree {
  const { size, slots, values, energies } = workspace;

  // Slots are shared by the roles of their points (first, last, proposal) and free again when the last role ends.
  const roles = new Int32Array(slots);
  const free = new Int32Array(slots);
  let freeCount = 0;
  let unused = 0; // no slot from here on has been used
  const take = (): number => (freeCount > 0 ? (free[--freeCount] as number) : unused++);
  const release = (slot: number): void => {
    const left = (roles[slot] as number) - 1;
    roles[slot] = left;
    if (left === 0) free[freeCount++] = slot;
  };

  // Waiting pieces by level; the trajectory itself is the last one. `sums` are offsets of sums of momenta.
  const trajectory = maxDepth + 1;
  const firsts = new Int32Array(maxDepth + 2);
  const lasts = new Int32Array(maxDepth + 2);
  const proposals = new Int32Array(maxDepth + 2);
  const sums = new Int32Array(maxDepth + 2);
  const weights = new Float64Array(maxDepth + 2);
  const trajectorySum = rowOf(workspace, 2 * (maxDepth + 1));

  const numbers = new Float64Array(3);
  const START = 0; // H₀
  const SHIFT = 1;
  const ACCEPTED = 2; // sum of acceptance probabilities

  let backward = false;
  let depth = 0;
  let leaf = 0; // index in the subtree
  let leaves = 0; // of the subtree
  let from = 0;
  let to = 0;
  let leapfrogSteps = 0;
  let divergedFrom = -1;

  const step = (): number => {
    to = take();
    integrator.leave(from, to, backward);
    return to;
  };

  const double = (): number => {
    if (depth === maxDepth) return -1;
    const wasBackward = backward;
    backward = uniform() < 0.5;
    if (backward !== wasBackward) {
      const first = firsts[trajectory] as number;
      firsts[trajectory] = lasts[trajectory] as number;
      lasts[trajectory] = first;
    }
    leaf = 0;
    leaves = 1 << depth;
    from = lasts[trajectory] as number;
    return step();
  };

  /** Makes room for weights above exp(LARGEST): a start so improbable that everything else outweighs it. */
  const reshift = (shift: number): void => {
    const factor = Math.exp((numbers[SHIFT] as number) - shift);
    for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] as number) * factor;
    numbers[SHIFT] = shift;
  };

  /** Joins the piece waiting at `level` with a new one, whose ends, proposal and sum are given; true if neither turned. */
  const join = (level: number, first: number, last: number, sum: number, out: number): boolean => {
    const a = momentumOf(workspace, firsts[level] as number);
    const d = momentumOf(workspace, last);
    const single = firsts[level] === lasts[level] && first === last;
    if (single) return joinPoints(values, size, a, d, out);
    const b = momentumOf(workspace, lasts[level] as number);
    const c = momentumOf(workspace, first);
    return joinPieces(values, size, sums[level] as number, sum, a, b, c, d, out);
  };

  const begin = (): number => {
    freeCount = 0;
    unused = 0;
    const slot = take();
    roles[slot] = 3;
    firsts[trajectory] = slot;
    lasts[trajectory] = slot;
    proposals[trajectory] = slot;
    sums[trajectory] = momentumOf(workspace, slot);
    weights[trajectory] = 1;
    numbers[START] = energies[slot] as number;
    numbers[SHIFT] = 0;
    numbers[ACCEPTED] = 0;
    depth = 0;
    leapfrogSteps = 0;
    divergedFrom = -1;
    return double();
  };

  const advance = (): number => {
    integrator.arrive(to, backward);
    leapfrogSteps++;
    const gain = (numbers[START] as number) - (energies[to] as number);
    if (!(gain >= -divergenceThreshold)) {
      numbers[ACCEPTED] = (numbers[ACCEPTED] as number) + Math.exp(gain);
      divergedFrom = from;
      return -1;
    }
    if (gain - (numbers[SHIFT] as number) > LARGEST) reshift(gain);
    const shift = numbers[SHIFT] as number;
    let weight = Math.exp(gain - shift);
    numbers[ACCEPTED] = (numbers[ACCEPTED] as number) + (gain >= 0 ? 1 : shift === 0 ? weight : Math.exp(gain));

    let first = to;
    let proposal = to;
    let sum = momentumOf(workspace, to);
    let level = 0;
    roles[to] = 3;
    for (; ((leaf >> level) & 1) === 1; level++) {
      // Written where it will be read: in the row of waiting pieces, or of second ones.
      const out = rowOf(workspace, 2 * level + ((leaf >> (level + 1)) & 1));
      if (!join(level, first, to, sum, out)) return -1;
      const before = weights[level] as number;
      const total = before + weight;
      if (uniform() * total < weight) {
        release(proposals[level] as number);
      } else {
        release(proposal);
        proposal = proposals[level] as number;
      }
      weight = total;
      sum = out;
      release(lasts[level] as number);
      release(first);
      first = firsts[level] as number;
    }
    from = to;
    if (++leaf < leaves) {
      firsts[level] = first;
      lasts[level] = to;
      proposals[level] = proposal;
      sums[level] = sum;
      weights[level] = weight;
      return step();
    }

    // The subtree is complete.
    depth++;
    const before = weights[trajectory] as number;
    if (uniform() * before < weight) {
      release(proposals[trajectory] as number);
      proposals[trajectory] = proposal;
    } else {
      release(proposal);
    }
    if (!join(trajectory, first, to, sum, trajectorySum)) return -1;
    sums[trajectory] = trajectorySum;
    weights[trajectory] = before + weight;
    release(lasts[trajectory] as number);
    release(first);
    lasts[trajectory] = to;
    return double();
  };

  return {
    begin,
    advance,
    get proposal() {
      return proposals[trajectory] as number;
    },
    get depth() {
      return depth;
    },
    get leapfrogSteps() {
      return leapfrogSteps;
    },
    get acceptance() {
      return leapfrogSteps === 0 ? 0 : (numbers[ACCEPTED] as number) / leapfrogSteps;
    },
    get divergedFrom() {
      return divergedFrom;
    },
    get divergedTo() {
      return divergedFrom < 0 ? -1 : to;
    },
  };
}
