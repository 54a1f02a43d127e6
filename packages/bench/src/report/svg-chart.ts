import { LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, TitleComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { escapeHtml } from './html.js';

// ECharts blends colours only it can parse, so it draws with these and they become the page's variables afterwards.
export const stand = {
  control: '#010001',
  learned: '#010002',
  ceiling: '#010003',
  other: '#010004',
  ink: '#010005',
  muted: '#010006',
  line: '#010007',
  paper: '#010008',
  chain0: '#010009',
  chain1: '#01000a',
  chain2: '#01000b',
  chain3: '#01000c',
  chain4: '#01000d',
  chain5: '#01000e',
  divergent: '#01000f',
} as const;

export const font = 'system-ui, sans-serif';

export const text = { color: stand.muted, fontFamily: font, fontSize: 12 };

/** A value axis with a name in its middle. */
export const axis = (name: string) => ({
  type: 'value',
  name,
  nameLocation: 'middle',
  nameGap: 28,
  nameTextStyle: text,
  axisLabel: text,
  axisLine: { show: true, lineStyle: { color: stand.line } },
  axisTick: { show: false },
  splitLine: { show: true, lineStyle: { color: stand.line, opacity: 0.6 } },
});

/** The picture as SVG text, its colours the variables of the page it stands in; `label` is read out in its place. */
export function draw(width: number, height: number, label: string, option: EChartsCoreOption): string {
  use([LineChart, ScatterChart, GridComponent, TitleComponent, SVGRenderer]);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, silent: true, ...option });
    const svg = Object.entries(stand).reduce(
      (drawn, [name, colour]) => drawn.replaceAll(colour, `var(--${name})`),
      chart.renderToSVGString(),
    );
    // The view box it also writes lets the page shrink the picture on narrow screens.
    return svg.replace(
      /^<svg width="\d+" height="\d+"/,
      () => `<svg style="max-width:${width}px" role="img" aria-label="${escapeHtml(label)}"`,
    );
  } finally {
    chart.dispose();
  }
}
