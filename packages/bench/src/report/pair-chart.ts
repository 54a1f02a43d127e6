import { heading, outline, type Point, range, WIDTH } from './chart-panels.js';
import type { PlottedDraws } from './plotted-draws.js';
import { axis, draw, stand, text } from './svg-chart.js';

/** Most points of each kind in one panel; more hide each other. */
const POINTS = 1000;

/** At most `count` of these, evenly spaced. */
function spaced(indices: readonly number[], count: number): number[] {
  const step = Math.max(1, indices.length / count);
  return Array.from({ length: Math.min(count, indices.length) }, (_, i) => indices[Math.floor(i * step)] ?? 0);
}

/** Of finite values. */
function histogram(values: Float64Array, [low, high]: readonly [number, number]): Point[] {
  const counts = Array.from({ length: 24 }, () => 0);
  const width = (high - low) / counts.length || 1;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    const bin = Math.min(counts.length - 1, Math.floor((value - low) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return outline(counts, (i) => low + i * width);
}

/** Every quantity against every other, divergent draws on top in their own colour, and histograms on the diagonal. */
export function pairChart({ quantities, divergent }: PlottedDraws): string {
  const values = quantities.map(({ chains }) => Float64Array.from(chains.flatMap((chain) => [...chain])));
  const flags = divergent.flatMap((chain) => [...chain]);
  const all = [...(values[0]?.keys() ?? [])];
  const marked = spaced(
    all.filter((i) => (flags[i] ?? 0) !== 0),
    POINTS,
  );
  const plain = spaced(
    all.filter((i) => (flags[i] ?? 0) === 0),
    POINTS,
  );
  const count = quantities.length;
  const panel = Math.floor((WIDTH - 70) / Math.max(count, 2));
  const place = (row: number, column: number) => ({
    left: 62 + column * panel,
    top: 30 + row * panel,
    width: panel - 22,
    height: panel - 42,
  });
  const cells = quantities.flatMap((_, row) => Array.from({ length: row + 1 }, (__, column) => ({ row, column })));
  const small = { ...text, fontSize: 11, hideOverlap: true };
  const bounds = values.map((each) => range([each]));
  const [axesX, axesY] = [0, 1].map((direction) =>
    cells.map(({ row, column }, i) => {
      const own = direction === 0 ? column : row;
      const outer = direction === 0 ? row === count - 1 : column === 0 && row > 0;
      const [min, max] = direction === 1 && row === column ? [0, undefined] : (bounds[own] ?? []);
      return {
        ...axis(''),
        gridIndex: i,
        min,
        max,
        splitNumber: 3,
        splitLine: { show: false },
        axisLine: { onZero: false, lineStyle: { color: stand.line } },
        axisLabel: {
          ...small,
          show: outer,
          showMinLabel: false,
          showMaxLabel: false,
          formatter: (x: number) => String(Number(x.toPrecision(3))),
        },
      };
    }),
  );
  const series = cells.flatMap(({ row, column }, i): object[] => {
    const at = { xAxisIndex: i, yAxisIndex: i };
    const x = values[column] ?? new Float64Array(0);
    const y = values[row] ?? new Float64Array(0);
    if (row === column) {
      const data = histogram(x, bounds[row] ?? [0, 1]);
      return [{ ...at, type: 'line', data, showSymbol: false, lineStyle: { width: 1.5, color: stand.chain0 } }];
    }
    const cloud = (indices: readonly number[]) => indices.map((n) => [x[n] ?? Number.NaN, y[n] ?? Number.NaN]);
    // "Large" clouds are one path each instead of one per point, a tenth of the text.
    const scatter = { ...at, type: 'scatter', large: true, largeThreshold: 1 };
    return [
      { ...scatter, data: cloud(plain), symbolSize: 3, itemStyle: { color: stand.chain0, opacity: 0.5 } },
      { ...scatter, data: cloud(marked), symbolSize: 5, itemStyle: { color: stand.divergent } },
    ];
  });
  const title = quantities.map(({ name }, i) => heading(name, place(i, i).left, place(i, i).top - 18));
  const divergences = `${flags.filter((flag) => flag !== 0).length} divergent draws`;
  const note = marked.length > 0 ? [heading(divergences, WIDTH - 20 - 8 * divergences.length, 4, stand.divergent)] : [];
  const label = `Pairs of ${quantities.map(({ name }) => name).join(', ')}`;
  return draw(WIDTH, 40 + count * panel, label, {
    title: [...title, ...note],
    grid: cells.map(({ row, column }) => place(row, column)),
    xAxis: axesX,
    yAxis: axesY,
    series,
  });
}
