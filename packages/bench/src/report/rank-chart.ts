import { chainColour, chainLegend, outline, panels, WIDTH } from './chart-panels.js';
import type { PlottedDraws } from './plotted-draws.js';
import { draw, stand } from './svg-chart.js';

const BINS = 20;

/** How many of a chain's draws have a rank, among the draws of all chains, in each of the bins; ties in the order of the chains. */
export function rankCounts(chains: readonly Float64Array[], bins: number): number[][] {
  const places = chains.flatMap((chain, c) => [...chain.keys()].map((n) => ({ c, value: chain[n] ?? 0 })));
  places.sort((a, b) => a.value - b.value);
  const counts = chains.map(() => Array.from({ length: bins }, () => 0));
  places.forEach(({ c }, rank) => {
    const own = counts[c];
    const bin = Math.floor((rank * bins) / places.length);
    if (own !== undefined) own[bin] = (own[bin] ?? 0) + 1;
  });
  return counts;
}

/** Histograms of each chain's ranks: flat, within the dashed lines, if the chains have the same law. */
export function rankChart({ quantities }: PlottedDraws): string {
  const chains = quantities[0]?.chains.length ?? 0;
  const length = quantities[0]?.chains[0]?.length ?? 0;
  const total = chains * length;
  const { height, title, ...option } = panels(quantities, 150, 'rank among the draws of all chains', total);
  const expected = length / BINS;
  // 95 % of a bin's count, if every draw were independent.
  const reach = 1.96 * Math.sqrt(expected * (1 - 1 / BINS));
  const edge = (i: number) => (i * total) / BINS;
  const level = (value: number, i: number) => ({
    type: 'line',
    xAxisIndex: i,
    yAxisIndex: i,
    data: [
      [0, value],
      [total, value],
    ],
    showSymbol: false,
    lineStyle: { type: [4, 4], width: 1, color: stand.muted },
  });
  const series = quantities.flatMap(({ chains: each }, i) => [
    ...[Math.max(0, expected - reach), expected + reach].map((value) => level(value, i)),
    ...rankCounts(each, BINS).map((counts, c) => ({
      type: 'line',
      xAxisIndex: i,
      yAxisIndex: i,
      data: outline(counts, edge),
      showSymbol: false,
      lineStyle: { width: 1.5, color: chainColour(c) },
    })),
  ]);
  const label = `Ranks of ${quantities.map(({ name }) => name).join(', ')} by chain`;
  return draw(WIDTH, height, label, {
    ...option,
    title: [...title, ...chainLegend(chains)],
    series,
  });
}
