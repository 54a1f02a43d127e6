/** Kept draws of one chain, in order; each array `[count, width]`, C order. */
export interface Rows {
  readonly count: number;
  readonly unconstrained: Float64Array;
  readonly values: Float64Array;
  readonly statistics: Float64Array;
}

/** Widths of the three parts of a row. */
export interface RowWidths {
  readonly unconstrained: number;
  readonly values: number;
  readonly statistics: number;
}

/** Collects rows and hands them over. Grows to the most rows that were ever collected between two hand-overs. */
export interface RowBuffer {
  /** Copies one row. */
  push(unconstrained: Float64Array, values: Float64Array, statistics: Float64Array): void;
  /** The rows since the last call, in arrays of their own. */
  take(): Rows;
}

const PARTS = ['unconstrained', 'values', 'statistics'] as const;

/** Rows of no draws. */
export const noRows = (): Rows => ({
  count: 0,
  unconstrained: new Float64Array(0),
  values: new Float64Array(0),
  statistics: new Float64Array(0),
});

/** One after the other. */
export function concatRows(rows: readonly Rows[]): Rows {
  const [only, ...others] = rows;
  if (only !== undefined && others.length === 0) return only;
  const join = (part: (typeof PARTS)[number]): Float64Array => {
    const out = new Float64Array(rows.reduce((sum, each) => sum + each[part].length, 0));
    let offset = 0;
    for (const each of rows) {
      out.set(each[part], offset);
      offset += each[part].length;
    }
    return out;
  };
  return {
    count: rows.reduce((sum, { count }) => sum + count, 0),
    unconstrained: join('unconstrained'),
    values: join('values'),
    statistics: join('statistics'),
  };
}

/** An empty buffer for rows of these widths. */
export function rowBuffer(widths: RowWidths): RowBuffer {
  let capacity = 0;
  let count = 0;
  const empty = noRows();
  let { unconstrained, values, statistics } = empty;

  const grow = (): void => {
    capacity = Math.max(16, 2 * capacity);
    const larger = (old: Float64Array, width: number): Float64Array => {
      const array = new Float64Array(capacity * width);
      array.set(old);
      return array;
    };
    unconstrained = larger(unconstrained, widths.unconstrained);
    values = larger(values, widths.values);
    statistics = larger(statistics, widths.statistics);
  };

  // A loop: `set` costs 50 ns, which a short row does not.
  const copy = (from: Float64Array, to: Float64Array, width: number): void => {
    const start = count * width;
    for (let i = 0; i < width; i++) to[start + i] = from[i] as number;
  };

  return {
    push(position, outputs, numbers) {
      if (count === capacity) grow();
      copy(position, unconstrained, widths.unconstrained);
      copy(outputs, values, widths.values);
      copy(numbers, statistics, widths.statistics);
      count += 1;
    },
    take() {
      const rows = {
        count,
        unconstrained: unconstrained.slice(0, count * widths.unconstrained),
        values: values.slice(0, count * widths.values),
        statistics: statistics.slice(0, count * widths.statistics),
      };
      count = 0;
      return rows;
    },
  };
}
