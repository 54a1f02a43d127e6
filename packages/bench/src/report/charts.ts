import type { ReliabilityBin } from '../metrics/calibration.js';
import type { CurveField, LearningCurve } from './curve.js';
import type { ResultRow } from './results.js';
import { axis, draw, font, stand, text } from './svg-chart.js';

/** Curves over steps: one thin line per seed, their mean drawn bold where the seeds share their steps, smoothed if long. */
export function curveChart(curves: readonly LearningCurve[], field: CurveField, label: string): string {
  const percent = field === 'validationAccuracy';
  const lines = curves.map(({ points }) =>
    points.flatMap((point) => {
      const y = point[field];
      return y === undefined || !Number.isFinite(y) ? [] : [[point.step, percent ? 100 * y : y] as const];
    }),
  );
  // A few scores are points that a line helps the eye to join; a long series is a line.
  const few = lines.every((data) => data.length <= 10);
  const faint = few ? (lines.length > 1 ? 0.4 : 1) : 0.2;
  const seeds = lines.map((data) => ({
    type: 'line',
    data,
    showSymbol: few && lines.length === 1,
    symbol: 'circle',
    lineStyle: { width: lines.length > 1 ? 1 : 2, opacity: faint, color: stand.learned },
    itemStyle: { color: stand.learned },
  }));
  const joint = lines.length > 1 ? meanLine(lines) : [];
  // An estimate from one expert and one augmentation jumps about; its course only shows in a running mean.
  const average = few ? joint : runningMean(joint.length > 0 ? joint : (lines[0] ?? []));
  const mean =
    average.length === 0
      ? []
      : [
          {
            type: 'line',
            data: average,
            showSymbol: few,
            symbol: 'circle',
            symbolSize: 6,
            lineStyle: { width: 2.5, color: stand.learned },
            itemStyle: { color: stand.learned },
          },
        ];
  return draw(460, 260, label, {
    grid: { left: 52, right: 16, top: 14, bottom: 42 },
    xAxis: { ...axis('outer step'), min: 'dataMin', max: 'dataMax' },
    yAxis: { ...axis(''), scale: true },
    series: [...seeds, ...mean],
  });
}

/** Accuracy against confidence per bin; the area of a dot is the share of points in its bin. */
export function reliabilityChart(bins: readonly ReliabilityBin[], kind: ResultRow['kind'], label: string): string {
  const filled = bins.filter((bin) => bin.count > 0);
  const total = filled.reduce((sum, { count }) => sum + count, 0);
  const data = filled.map(({ confidence, accuracy, count }) => ({
    value: [confidence, accuracy],
    symbolSize: 3 + 18 * Math.sqrt(count / total),
  }));
  const unit = {
    min: 0,
    max: 1,
    interval: 0.25,
    axisLabel: { ...text, formatter: (x: number) => (x === 0.25 || x === 0.75 ? '' : String(x)) },
  };
  return draw(190, 198, label, {
    grid: { left: 38, right: 12, top: 12, bottom: 40 },
    xAxis: { ...axis('confidence'), ...unit },
    yAxis: { ...axis('accuracy'), ...unit, nameGap: 26 },
    series: [
      {
        type: 'line',
        data: [
          [0, 0],
          [1, 1],
        ],
        showSymbol: false,
        lineStyle: { type: [4, 4], width: 1, color: stand.muted },
      },
      { type: 'line', data: data.map(({ value }) => value), showSymbol: false, lineStyle: { width: 1.5, color: stand[kind] } },
      { type: 'scatter', data, itemStyle: { color: stand[kind], opacity: 0.85, borderColor: stand.paper, borderWidth: 1 } },
    ],
  });
}

/** Mean accuracy of every row as a dot, one standard deviation to each side as a bar. */
export function accuracyChart(rows: readonly ResultRow[], label: string): string {
  const scored = rows.flatMap((row) => {
    const accuracy = row.metrics['accuracy'];
    return accuracy === undefined ? [] : [{ ...row, mean: 100 * accuracy.mean, std: 100 * accuracy.std }];
  });
  const low = Math.min(...scored.map(({ mean, std }) => mean - std));
  const least = Math.max(0, Math.floor((low - 5) / 10) * 10);
  return draw(936, 44 + 34 * scored.length, label, {
    grid: { left: 116, right: 64, top: 6, bottom: 40 },
    xAxis: { ...axis('accuracy, %'), min: least, max: 100 },
    yAxis: {
      ...axis(''),
      type: 'category',
      splitLine: { show: false },
      inverse: true,
      data: scored.map(({ name }) => name),
      axisLabel: { ...text, color: stand.ink, fontSize: 13 },
    },
    series: [
      ...scored.map(({ name, kind, mean, std }) => ({
        type: 'line',
        data: [
          [Math.max(mean - std, least), name],
          [Math.min(mean + std, 100), name],
        ],
        showSymbol: false,
        lineStyle: { width: 3, color: stand[kind], opacity: 0.45 },
      })),
      {
        type: 'scatter',
        data: scored.map(({ name, kind, mean }) => ({ value: [mean, name], itemStyle: { color: stand[kind] } })),
        symbolSize: 12,
        label: {
          show: true,
          position: 'top',
          distance: 3,
          color: stand.ink,
          fontFamily: font,
          fontSize: 12,
          formatter: ({ value }: { value: readonly [number, string] }) => value[0].toFixed(1),
        },
      },
    ],
  });
}

function meanLine(lines: readonly (readonly (readonly [number, number])[])[]): (readonly [number, number])[] {
  const [first = [], ...others] = lines;
  const aligned = others.every((line) => line.length === first.length && line.every(([step], i) => step === first[i]?.[0]));
  if (!aligned) return [];
  return first.map(([step], i) => [step, lines.reduce((sum, line) => sum + (line[i]?.[1] ?? 0), 0) / lines.length] as const);
}

function runningMean(line: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const reach = Math.max(1, Math.round(line.length / 20));
  return line.map(([step], i) => {
    const near = line.slice(Math.max(0, i - reach), i + reach + 1);
    return [step, near.reduce((sum, [, y]) => sum + y, 0) / near.length] as const;
  });
}
