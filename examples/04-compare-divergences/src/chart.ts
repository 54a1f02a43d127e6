import { ScatterChart } from 'echarts/charts';
import { GridComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

/** A row of dots: one per seed. */
export interface DotRow {
  readonly name: string;
  readonly isControl: boolean;
  readonly values: readonly number[];
}

/** One dot per seed and a bar at their mean, controls in grey, as an SVG picture. */
export function dotChart(rows: readonly DotRow[], title: string): string {
  use([ScatterChart, GridComponent, TitleComponent, SVGRenderer]);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 560, height: 90 + 34 * rows.length });
  const colour = ({ isControl }: DotRow) => (isControl ? '#888888' : '#1f6feb');
  const mean = ({ values }: DotRow) => values.reduce((a, b) => a + b, 0) / values.length;
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: title, left: 8, top: 8, textStyle: { fontSize: 14 } },
    grid: { left: 170, right: 24, top: 44, bottom: 36 },
    xAxis: { type: 'value', scale: true },
    yAxis: { type: 'category', inverse: true, data: rows.map(({ name }) => name), axisTick: { show: false } },
    series: rows.flatMap((row) => [
      {
        type: 'scatter',
        symbolSize: 9,
        itemStyle: { color: colour(row), opacity: 0.5 },
        data: row.values.map((value) => [value, row.name]),
      },
      { type: 'scatter', symbol: 'rect', symbolSize: [3, 22], itemStyle: { color: colour(row) }, data: [[mean(row), row.name]] },
    ]),
  });
  try {
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
