import { chainColour, chainLegend, type Point, panels, range, WIDTH } from './chart-panels.js';
import type { PlottedDraws } from './plotted-draws.js';
import { draw, stand } from './svg-chart.js';

/** Longer chains are drawn by the smallest and largest draw of each of this many stretches: no spike is lost. */
const STRETCHES = 400;

/** The chain as a line, thinned without losing extremes. */
function tracePoints(chain: Float64Array): Point[] {
  if (chain.length <= 2 * STRETCHES) return [...chain].map((value, n) => [n, value]);
  return Array.from({ length: STRETCHES }, (_, s) => {
    const start = Math.floor((s * chain.length) / STRETCHES);
    const end = Math.floor(((s + 1) * chain.length) / STRETCHES);
    let [low, high] = [start, start];
    for (let n = start; n < end; n++) {
      if ((chain[n] ?? 0) < (chain[low] ?? 0)) low = n;
      if ((chain[n] ?? 0) > (chain[high] ?? 0)) high = n;
    }
    return [...new Set([Math.min(low, high), Math.max(low, high)])].map((n): Point => [n, chain[n] ?? Number.NaN]);
  }).flat();
}

/** Draws over iterations, one line per chain, a mark below for each divergence. */
export function traceChart({ quantities, divergent }: PlottedDraws): string {
  const chains = quantities[0]?.chains ?? [];
  const { height, title, yAxis, ...option } = panels(quantities, 140, 'draw', chains[0]?.length ?? 1);
  const marks = divergent.flatMap((flags) => [...flags.keys()].filter((n) => flags[n] !== 0));
  const ranges = quantities.map((quantity) => range(quantity.chains));
  const series = quantities.flatMap((quantity, i): object[] => {
    const at = { xAxisIndex: i, yAxisIndex: i };
    const [low, high] = ranges[i] ?? [0, 1];
    return [
      ...quantity.chains.map((chain, c) => ({
        ...at,
        type: 'line',
        data: tracePoints(chain),
        showSymbol: false,
        lineStyle: { width: 1, opacity: 0.8, color: chainColour(c) },
      })),
      {
        ...at,
        type: 'scatter',
        symbol: 'rect',
        symbolSize: [1.5, 8],
        itemStyle: { color: stand.divergent },
        data: marks.map((n) => [n, low - 0.1 * (high - low)]),
      },
    ];
  });
  const label = `Trace of ${quantities.map(({ name }) => name).join(', ')}`;
  return draw(WIDTH, height, label, {
    ...option,
    yAxis: yAxis.map((each, i) => {
      const [low, high] = ranges[i] ?? [0, 1];
      const below = (marks.length > 0 ? 0.16 : 0.02) * (high - low);
      return {
        ...each,
        min: low - below,
        max: high + 0.02 * (high - low),
        axisLabel: { ...each.axisLabel, showMinLabel: false, showMaxLabel: false },
      };
    }),
    title: [...title, ...chainLegend(chains.length)],
    series,
  });
}
