import type { Draw } from './draw.js';
import type { Layout } from './layout.js';
import type { Rows } from './rows.js';
import { keptRows, type Settings } from './settings.js';

/** Puts the rows of chains, which come in chunks, in an order that does not depend on the chunks. */
export interface DrawOrder {
  add(chain: number, rows: Rows): void;
  /** The draws that are complete: draw n of all chains, then draw n + 1. */
  ready(): Generator<Draw, void, void>;
}

interface Queue {
  readonly rows: Rows[];
  /** Place in the first of them. */
  place: number;
}

/** An order for the chains of one run. */
export function drawOrder(layout: Layout, statistics: readonly string[], settings: Settings): DrawOrder {
  const queues = Array.from({ length: settings.chains }, (): Queue => ({ rows: [], place: 0 }));
  const warmupRows = keptRows(settings, settings.warmup).warmup;
  let given = 0;

  const drawAt = (chain: number, { unconstrained, values, statistics: numbers }: Rows, row: number): Draw => {
    const start = row * layout.outputSize;
    const warmup = given < warmupRows;
    return {
      chain,
      index: warmup ? given : given - warmupRows,
      warmup,
      values: Object.fromEntries(
        layout.variables.map(({ name, offset, length }) => [name, values.subarray(start + offset, start + offset + length)]),
      ),
      statistics: Object.fromEntries(statistics.map((name, s) => [name, numbers[row * statistics.length + s] ?? Number.NaN])),
      unconstrained: unconstrained.subarray(row * layout.size, (row + 1) * layout.size),
    };
  };

  return {
    add(chain, rows) {
      if (rows.count > 0) queues[chain]?.rows.push(rows);
    },
    *ready() {
      while (queues.every(({ rows }) => rows.length > 0)) {
        for (const [chain, queue] of queues.entries()) {
          const rows = queue.rows[0] as Rows;
          yield drawAt(chain, rows, queue.place);
          queue.place += 1;
          if (queue.place < rows.count) continue;
          queue.rows.shift();
          queue.place = 0;
        }
        given += 1;
      }
    },
  };
}
