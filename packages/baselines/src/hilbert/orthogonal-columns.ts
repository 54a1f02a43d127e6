import { addScaled, dotAt, norm } from '../vectors.js';

/** A growing and shrinking set of columns in factored form A = Q R, for least squares `min ‖A x − b‖`. */
export interface OrthogonalColumns {
  readonly count: number;
  /** Appends a column unless it is, numerically, in the span of the others. */
  append(column: Float64Array): boolean;
  /** Takes out the column at a place. */
  remove(place: number): void;
  /** The least-squares solution, one number per column. */
  solve(): Float64Array;
}

// What is left of a unit column that lies in the span of others, after two rounds of orthogonalisation.
const DEPENDENT = 1e-11;

/**
 * Columns by Gram–Schmidt, twice over (which keeps Q orthogonal to rounding); a removed one by Givens rotations.
 *
 * O(dimensions · count) per change, so that an active-set method pays for a change and not for a factorisation.
 */
export function orthogonalColumns(target: Float64Array): OrthogonalColumns {
  const q: Float64Array[] = [];
  // Column k of R: k + 1 numbers.
  const r: Float64Array[] = [];
  return {
    get count() {
      return q.length;
    },
    append(column) {
      const left = Float64Array.from(column);
      const coefficients = new Float64Array(q.length + 1);
      for (let round = 0; round < 2; round++) {
        q.forEach((basis, k) => {
          const part = dotAt(basis, 0, left);
          coefficients[k] = (coefficients[k] as number) + part;
          addScaled(left, -part, basis);
        });
      }
      const length = norm(left);
      if (!(length > DEPENDENT * norm(column))) return false;
      coefficients[q.length] = length;
      r.push(coefficients);
      q.push(left.map((value) => value / length));
      return true;
    },
    remove(place) {
      r.splice(place, 1);
      // What was column k + 1 has a number too many below its diagonal: rotate it away.
      for (let k = place; k < r.length; k++) {
        const column = r[k] as Float64Array;
        const [a, b] = [column[k] as number, column[k + 1] as number];
        const length = Math.hypot(a, b);
        const [cosine, sine] = [a / length, b / length];
        for (const later of r.slice(k)) {
          const [x, y] = [later[k] as number, later[k + 1] as number];
          later[k] = cosine * x + sine * y;
          later[k + 1] = cosine * y - sine * x;
        }
        const [first, second] = [q[k] as Float64Array, q[k + 1] as Float64Array];
        for (let j = 0; j < first.length; j++) {
          const [x, y] = [first[j] as number, second[j] as number];
          first[j] = cosine * x + sine * y;
          second[j] = cosine * y - sine * x;
        }
        r[k] = column.subarray(0, k + 1);
      }
      q.pop();
    },
    solve() {
      const x = Float64Array.from(q, (basis) => dotAt(basis, 0, target));
      for (let k = x.length - 1; k >= 0; k--) {
        const column = r[k] as Float64Array;
        const value = (x[k] as number) / (column[k] as number);
        x[k] = value;
        for (let i = 0; i < k; i++) x[i] = (x[i] as number) - value * (column[i] as number);
      }
      return x;
    },
  };
}
