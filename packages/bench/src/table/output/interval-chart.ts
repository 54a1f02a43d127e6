import { formatValue, metricLabel } from '../../report/format.js';
import { axis, draw, stand, text } from '../../report/svg-chart.js';
import { ownInit } from '../statistics/compare-cells.js';
import type { Comparison } from '../table-results.js';

const unitFactor = (metric: string): number => Number(formatValue(metric, 1));

/** Differences of one metric to one control as dots with their intervals; pooled ones larger, and those that cross 0 grey. */
export function intervalChart(comparisons: readonly Comparison[], metric: string, to: string): string {
  const own = comparisons.filter((one) => one.metric === metric && one.to === to && one.family.startsWith('methods against controls'));
  const methods = [...new Set(own.map(({ of }) => of))];
  const rows = methods.flatMap((method) =>
    own
      .filter(({ of }) => of === method)
      .map((comparison) => ({ ...comparison, label: `${method} · ${comparison.cells.length > 1 ? 'pooled' : comparison.scope}` })),
  );
  const factor = unitFactor(metric);
  const scaled = (value: number) => factor * value;
  const colour = ({ low, high, mean }: Comparison) => {
    if (low <= 0 && high >= 0) return stand.control;
    return mean > 0 === (metric === 'accuracy') ? stand.learned : stand.divergent;
  };
  const size = rows.map(({ cells }) => (cells.length > 1 ? 12 : 7));
  const label = `${metricLabel(metric)}: methods minus ${to}`;
  // A cell of two or three seeds can have an interval that hides all others.
  const reach = Math.max(...rows.flatMap(({ mean, standardError }) => [Math.abs(scaled(mean)) + 4 * scaled(standardError)]), 0.001);
  const clip = (value: number) => Math.max(-reach, Math.min(reach, value));
  return draw(460, 54 + 22 * rows.length, label, {
    grid: { left: 168, right: 18, top: 8, bottom: 44 },
    xAxis: {
      ...axis(`${metricLabel(metric)}, minus ${to === ownInit ? 'own init' : to}`),
      min: -reach,
      max: reach,
      axisLabel: { ...text, formatter: (x: number) => String(Number(x.toPrecision(2))) },
    },
    yAxis: {
      ...axis(''),
      type: 'category',
      inverse: true,
      splitLine: { show: false },
      data: rows.map((row) => row.label),
      axisLabel: { ...text, color: stand.ink, fontSize: 11 },
    },
    series: [
      {
        type: 'line',
        data:
          rows.length === 0
            ? []
            : [
                [0, rows[0]?.label],
                [0, rows.at(-1)?.label],
              ],
        showSymbol: false,
        lineStyle: { type: [4, 4], width: 1, color: stand.muted },
      },
      ...rows.map((row, i) => ({
        type: 'line',
        data: [
          [clip(scaled(row.low)), row.label],
          [clip(scaled(row.high)), row.label],
        ],
        showSymbol: false,
        lineStyle: { width: (size[i] ?? 7) > 7 ? 4 : 2, color: colour(row), opacity: 0.55 },
      })),
      {
        type: 'scatter',
        data: rows.map((row, i) => ({ value: [scaled(row.mean), row.label], symbolSize: size[i], itemStyle: { color: colour(row) } })),
      },
    ],
  });
}
