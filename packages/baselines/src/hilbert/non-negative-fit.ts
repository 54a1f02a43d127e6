import { addScaled, dotAt, norm } from '../vectors.js';
import type { HilbertVectors } from './hilbert-vectors.js';
import { orthogonalColumns } from './orthogonal-columns.js';

/** Non-negative least squares on a set of points that grows: `min_{w ≥ 0} ‖L − Σ_{n in set} w_n L_n‖`. */
export interface NonNegativeFit {
  /** Adds a point to the set and solves again. False if no weight changed: the point cannot improve the fit. */
  add(index: number): boolean;
  /** Positive weights by point. */
  weights(): Map<number, number>;
  /** L − L(w). Borrowed; changes with the next `add`. */
  readonly residual: Float64Array;
  /** ‖L − L(w)‖/‖L‖ */
  error(): number;
}

// A gradient this small, relative to ‖L‖, is rounding: vectors are scaled to unit length.
const STATIONARY = 1e-13;

/**
 * Lawson & Hanson's active-set method, warm: each solution begins at the last one.
 *
 * At the solution, gradients vanish at positive weights and do not point inwards at weights of zero (Karush–Kuhn–Tucker).
 * Vectors are scaled to unit length, so that the size of a likelihood does not decide what counts as zero.
 *
 * Lawson & Hanson 1974, chapter 23; the factorisation is updated, not made anew.
 */
export function nonNegativeFit({ data, shape, norms, sum }: HilbertVectors): NonNegativeFit {
  const [, dimensions] = shape;
  const whole = norm(sum);
  const columns = orthogonalColumns(sum);
  /** Points with a positive weight, in the order of the columns, and their weights (of unit vectors). */
  let active: number[] = [];
  let weights: number[] = [];
  const known = new Set<number>();
  const residual = Float64Array.from(sum);

  const unit = (n: number) => data.slice(n * dimensions, (n + 1) * dimensions).map((value) => value / (norms[n] as number));
  const gradient = (n: number) => dotAt(data, n * dimensions, residual) / (norms[n] as number);
  const drop = (place: number) => {
    columns.remove(place);
    active.splice(place, 1);
    weights.splice(place, 1);
  };
  const update = () => {
    residual.set(sum);
    active.forEach((n, i) => addScaled(residual, -(weights[i] as number) / (norms[n] as number), data, n * dimensions));
  };

  /** Frees one point and moves to the least-squares solution as far as no weight becomes negative. */
  function free(index: number): boolean {
    const [activeBefore, weightsBefore] = [[...active], [...weights]];
    if (!columns.append(unit(index))) return false;
    active.push(index);
    weights.push(0);
    let solution = columns.solve();
    if (!((solution[active.length - 1] as number) > 0)) {
      // A positive gradient and no positive weight: rounding.
      columns.remove(active.length - 1);
      [active, weights] = [activeBefore, weightsBefore];
      return false;
    }
    while (solution.some((value) => value <= 0)) {
      let [fraction, blocking] = [1, -1];
      solution.forEach((value, i) => {
        const weight = weights[i] as number;
        const reach = value <= 0 ? weight / (weight - value) : 1;
        if (reach < fraction) [fraction, blocking] = [reach, i];
      });
      weights = weights.map((weight, i) => weight + fraction * ((solution[i] as number) - weight));
      for (let i = active.length - 1; i >= 0; i--) {
        if (i === blocking || ((solution[i] as number) <= 0 && (weights[i] as number) <= 0)) drop(i);
      }
      solution = columns.solve();
    }
    weights = Array.from(solution);
    update();
    return true;
  }

  return {
    residual,
    add(index) {
      if ((norms[index] as number) === 0) return false;
      known.add(index);
      const stuck = new Set<number>();
      let changed = false;
      for (;;) {
        const idle = [...known].filter((n) => !stuck.has(n) && !active.includes(n) && gradient(n) > STATIONARY * whole);
        const next = idle.reduce((best, n) => (best < 0 || gradient(n) > gradient(best) ? n : best), -1);
        if (next < 0) return changed;
        if (free(next)) changed = true;
        else stuck.add(next);
      }
    },
    weights: () => new Map(active.map((n, i) => [n, (weights[i] as number) / (norms[n] as number)])),
    error: () => norm(residual) / whole,
  };
}
