import type { Series } from '@bpc/samplers';
import { axis, font, stand } from './svg-chart.js';

/** Of every picture, in pixels. */
export const WIDTH = 936;

/** x and y. */
export type Point = readonly [number, number];

const CHAIN_COLOURS = [stand.chain0, stand.chain1, stand.chain2, stand.chain3, stand.chain4, stand.chain5];
/** Of a line of this chain. */
export const chainColour = (chain: number) => CHAIN_COLOURS[chain % CHAIN_COLOURS.length] ?? stand.ink;

/** A short text at a place. */
export const heading = (label: string, left: number | string, top: number, color: string = stand.ink) => ({
  text: label,
  left,
  top,
  padding: 0,
  textStyle: { color, fontFamily: font, fontSize: 13, fontWeight: 600 },
});

/** Names of the chains in their colours, from the right; left out where there are too many to tell apart. */
export const chainLegend = (chains: number) =>
  chains < 2 || chains > CHAIN_COLOURS.length
    ? []
    : Array.from({ length: chains }, (_, c) => heading(`chain ${c}`, WIDTH - 16 - 58 * (chains - c), 4, chainColour(c)));

/** Least and largest finite value; a little apart where there is one only. */
export function range(chains: readonly Float64Array[]): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const chain of chains) {
    for (const value of chain) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return [0, 1];
  const reach = low === high ? Math.abs(low) / 10 || 1 : 0;
  return [low - reach, high + reach];
}

/** Rows of panels, one per quantity, each with its own pair of axes, the horizontal one from 0 to `max`. */
export function panels(quantities: readonly Series[], height: number, xName: string, max: number) {
  const top = (i: number) => 30 + i * height;
  const last = quantities.length - 1;
  return {
    title: quantities.map(({ name }, i) => heading(name, 16, top(i) - 2)),
    grid: quantities.map((_, i) => ({ left: 62, right: 16, top: top(i) + 20, height: height - 46 })),
    xAxis: quantities.map((_, i) => ({
      ...axis(i === last ? xName : ''),
      nameGap: 24,
      gridIndex: i,
      min: 0,
      max,
      splitLine: { show: false },
    })),
    yAxis: quantities.map((_, i) => ({ ...axis(''), gridIndex: i, splitNumber: 3 })),
    height: top(quantities.length) + 18,
  };
}

/** A histogram as the corners of its outline. */
export const outline = (counts: readonly number[], edge: (i: number) => number): Point[] =>
  counts.flatMap((count, i): Point[] => [
    [edge(i), count],
    [edge(i + 1), count],
  ]);
