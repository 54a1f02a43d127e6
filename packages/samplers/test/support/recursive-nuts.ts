import type { RandomStream } from '@bpc/samplers';
import type { HandWritten } from './flat-densities.js';

/** Mistakes to make on purpose, as negative controls. */
export interface Faults {
  /** Momenta are drawn with this standard deviation, in units of the right one. */
  readonly momentumScale?: number;
  /** Points of a subtree are chosen with equal probability instead of by their weights. */
  readonly equalWeights?: boolean;
  /** A subtree that turned or diverged gives its proposal nevertheless. */
  readonly keepInvalid?: boolean;
  /** The draw is always taken from the new half of the trajectory. */
  readonly alwaysNew?: boolean;
}

type Point = { readonly q: number[]; readonly p: number[]; readonly gradient: Float64Array; readonly logDensity: number };
type Subtree = {
  readonly first: Point;
  readonly last: Point;
  readonly proposal: Point;
  readonly momenta: number[];
  readonly logWeight: number;
  readonly valid: boolean;
};

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const plus = (a: readonly number[], b: readonly number[]) => a.map((x, i) => x + b[i]!);
const logSumExp = (a: number, b: number) => {
  const largest = Math.max(a, b);
  return largest === Number.NEGATIVE_INFINITY ? largest : largest + Math.log(Math.exp(a - largest) + Math.exp(b - largest));
};

/**
 * Multinomial NUTS as the textbooks write it, for comparison: recursive, with plain momenta p ~ N(0, M), M⁻¹ = diag(variances), weights as
 * logarithms, fresh arrays for everything. Takes its random numbers in the order of the kernel.
 */
export function recursiveNuts(
  density: HandWritten,
  options: { readonly stepSize: number; readonly variances: readonly number[]; readonly maxDepth?: number },
  faults: Faults = {},
) {
  const { stepSize, variances, maxDepth = 10 } = options;
  const velocity = (p: readonly number[]) => p.map((x, i) => x * variances[i]!);
  const point = (q: number[], p: number[]): Point => {
    const gradient = new Float64Array(q.length);
    const logDensity = density.evaluate(Float64Array.from(q), gradient);
    return { q, p, gradient, logDensity };
  };
  const energy = ({ p, logDensity }: Point) => {
    const h = 0.5 * dot(p, velocity(p)) - logDensity;
    return Number.isNaN(h) ? Number.POSITIVE_INFINITY : h;
  };
  const kick = (p: readonly number[], gradient: Float64Array, h: number) => p.map((x, i) => x + h * gradient[i]!);
  const leapfrog = ({ q, p, gradient }: Point, h: number): Point => {
    const half = kick(p, gradient, h / 2);
    const next = point(
      plus(
        q,
        velocity(half).map((v) => h * v),
      ),
      half,
    );
    return { ...next, p: kick(half, next.gradient, h / 2) };
  };
  /** Whether a trajectory with these momenta at its ends and in sum moves apart. */
  const apart = (a: readonly number[], b: readonly number[], sum: readonly number[]) =>
    dot(velocity(sum), a) > 0 && dot(velocity(sum), b) > 0;
  const unbent = (one: Subtree, two: Subtree) =>
    apart(one.first.p, two.last.p, plus(one.momenta, two.momenta)) &&
    apart(one.first.p, two.first.p, plus(one.momenta, two.first.p)) &&
    apart(one.last.p, two.last.p, plus(two.momenta, one.last.p));

  return (start: readonly number[], stream: RandomStream) => {
    const momentum = variances.map((variance) => ((faults.momentumScale ?? 1) * stream.normal()) / Math.sqrt(variance));
    const begin = point([...start], momentum);
    const h0 = energy(begin);
    let leapfrogSteps = 0;
    let accepted = 0;
    let divergent = false;

    const build = (depth: number, from: Point, direction: 1 | -1): Subtree => {
      if (depth === 0) {
        const next = leapfrog(from, direction * stepSize);
        const logWeight = h0 - energy(next);
        leapfrogSteps++;
        accepted += Math.min(1, Math.exp(logWeight));
        if (logWeight < -1000) divergent = true;
        return { first: next, last: next, proposal: next, momenta: next.p, logWeight, valid: !divergent };
      }
      const one = build(depth - 1, from, direction);
      if (!one.valid) return one;
      const two = build(depth - 1, one.last, direction);
      if (!two.valid) return { ...two, proposal: one.proposal };
      const logWeight = logSumExp(one.logWeight, two.logWeight);
      const valid = unbent(one, two);
      const chance = faults.equalWeights ? 0.5 : Math.exp(two.logWeight - logWeight);
      const proposal = valid && stream.uniform() < chance ? two.proposal : one.proposal;
      return { first: one.first, last: two.last, proposal, momenta: plus(one.momenta, two.momenta), logWeight, valid };
    };

    let tree: Subtree = { first: begin, last: begin, proposal: begin, momenta: begin.p, logWeight: 0, valid: true };
    let depth = 0;
    let direction: 1 | -1 = 1;
    while (depth < maxDepth) {
      const next = stream.uniform() < 0.5 ? -1 : 1;
      if (next !== direction) tree = { ...tree, first: tree.last, last: tree.first };
      direction = next;
      const fresh = build(depth, tree.last, direction);
      if (!fresh.valid) {
        if (faults.keepInvalid && !divergent) tree = { ...tree, proposal: fresh.proposal };
        break;
      }
      depth++;
      const chance = faults.alwaysNew ? 1 : Math.exp(fresh.logWeight - tree.logWeight);
      const proposal = stream.uniform() < chance ? fresh.proposal : tree.proposal;
      const goOn = unbent(tree, fresh);
      tree = {
        first: tree.first,
        last: fresh.last,
        proposal,
        momenta: plus(tree.momenta, fresh.momenta),
        logWeight: logSumExp(tree.logWeight, fresh.logWeight),
        valid: true,
      };
      if (!goOn) break;
    }
    const { q } = tree.proposal;
    return { position: q, depth, leapfrogSteps, acceptance: accepted / leapfrogSteps, divergent, energy: energy(tree.proposal) };
  };
}

/** Hoffman & Gelman's search for a step size (algorithm 4), with Stan's fresh momentum per trial and its acceptance of 0.8. */
export function reasonableStepSize(
  density: HandWritten,
  variances: readonly number[],
  q: readonly number[],
  from: number,
  stream: RandomStream,
): number {
  const gradient = new Float64Array(q.length);
  const logDensity = density.evaluate(Float64Array.from(q), gradient);
  const acceptance = (h: number): number => {
    const p = variances.map((variance) => stream.normal() / Math.sqrt(variance));
    const half = p.map((x, i) => x + (h / 2) * gradient[i]!);
    const next = Float64Array.from(q, (x, i) => x + h * variances[i]! * half[i]!);
    const slope = new Float64Array(q.length);
    const value = density.evaluate(next, slope);
    const end = half.map((x, i) => x + (h / 2) * slope[i]!);
    const kinetic = (momentum: readonly number[]) => momentum.reduce((sum, x, i) => sum + 0.5 * x * x * variances[i]!, 0);
    const ratio = Math.exp(value - kinetic(end) - logDensity + kinetic(p));
    return Number.isNaN(ratio) ? 0 : ratio;
  };
  let h = from;
  const grows = acceptance(h) > 0.8;
  for (;;) {
    h = grows ? 2 * h : h / 2;
    if (acceptance(h) > 0.8 !== grows) return h;
  }
}
