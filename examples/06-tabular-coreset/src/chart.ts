import { LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Closeness } from './closeness.js';
import type { Study } from './study.js';
import { median, scoresOf, sizesOf } from './summarise.js';

const WIDTH = 1020;
const HEIGHT = 700;
const COLUMNS = 3;
const FONT = 'system-ui, sans-serif';
const [INK, MUTED, LINE] = ['#1c1d20', '#65676d', '#dcdcd6'];
const COLOURS = ['#84868d', '#c2761a', '#8a56b8', '#1f8a5b', '#2a62c9'];

const panels: readonly { readonly measure: keyof Closeness; readonly title: string }[] = [
  { measure: 'klToFull', title: 'KL(coreset ‖ full), nats' },
  { measure: 'klFromFull', title: 'KL(full ‖ coreset), nats' },
  { measure: 'meanError', title: 'error of means, posterior sds' },
  { measure: 'sdError', title: 'error of sds, posterior sds' },
  { measure: 'nll', title: 'validation NLL above full’s, nats (10⁻⁴ or less at the foot)' },
];

/** Where differences of NLL are no longer told from none. */
const LEAST_NLL = 1e-4;

const place = (i: number) => ({ left: 52 + (i % COLUMNS) * (WIDTH / COLUMNS), top: 96 + Math.floor(i / COLUMNS) * 310 });
const label = (text: string, left: number, top: number, color = INK, fontWeight = 600) => ({
  text,
  left,
  top,
  padding: 0,
  textStyle: { color, fontFamily: FONT, fontSize: 13, fontWeight },
});
/** Powers of ten as such: labels of few letters. */
const power = (value: number): string => {
  const superscript = [...String(Math.round(Math.log10(value)))].map((digit) =>
    digit === '-' ? '⁻' : ('⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? ''),
  );
  return value >= 0.009 && value <= 110 ? String(Number(value.toPrecision(1))) : `10${superscript.join('')}`;
};
const text = { color: MUTED, fontFamily: FONT, fontSize: 11 };

/** Errors against size: one panel per measure, medians over seeds as lines, each seed a dot; what chance leaves is dashed. */
export function chart(study: Study, subtitle: string): string {
  use([LineChart, ScatterChart, GridComponent, TitleComponent, SVGRenderer]);
  const sizes = [...new Set(study.scores.map(({ size }) => size))].sort((a, b) => a - b);
  const [least = 1, most = 1] = [sizes[0], sizes.at(-1)];
  const shown = (measure: keyof Closeness, value: number) => (measure === 'nll' ? Math.max(value - study.again.nll, LEAST_NLL) : value);
  const series = panels.flatMap(({ measure }, i) => {
    const on = { xAxisIndex: i, yAxisIndex: i };
    const level = (value: number, type: 'dashed' | 'dotted') => ({
      ...on,
      type: 'line',
      data: [
        [least, value],
        [most, value],
      ],
      showSymbol: false,
      lineStyle: { type, width: 1.5, color: INK, opacity: 0.6 },
    });
    const rivals = study.methods.flatMap(({ name }, m) => {
      const color = COLOURS[m % COLOURS.length] ?? INK;
      const middle = sizesOf(study, name).map((size) => [
        size,
        shown(measure, median(scoresOf(study, name, size).map((score) => score[measure]))),
      ]);
      const dots = study.scores.filter(({ method }) => method === name).map((score) => [score.size, shown(measure, score[measure])]);
      return [
        { ...on, type: 'scatter', data: dots, symbolSize: 4, itemStyle: { color, opacity: 0.45 } },
        { ...on, type: 'line', data: middle, symbol: 'circle', symbolSize: 6, lineStyle: { width: 2, color }, itemStyle: { color } },
      ];
    });
    return [level(shown(measure, study.again[measure]), 'dashed'), level(shown(measure, study.prior[measure]), 'dotted'), ...rivals];
  });
  const corner = place(panels.length);
  const legend = [
    ...study.methods.map(({ name }, m) => label(`●  ${name}`, corner.left, corner.top + 10 + 26 * m, COLOURS[m % COLOURS.length])),
    label('- -  NUTS on all points, again', corner.left, corner.top + 16 + 26 * study.methods.length, INK, 400),
    label('···  prior, no data', corner.left, corner.top + 42 + 26 * study.methods.length, INK, 400),
  ];
  const picture = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  try {
    picture.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      title: [
        label('How far is a coreset’s posterior from that of all points?', 20, 16),
        label(subtitle, 20, 38, MUTED, 400),
        ...panels.map(({ title }, i) => label(title, place(i).left, place(i).top - 24)),
        ...legend,
      ],
      grid: panels.map((_, i) => ({ ...place(i), width: WIDTH / COLUMNS - 80, height: 226 })),
      xAxis: panels.map((_, i) => ({
        gridIndex: i,
        type: 'log',
        min: least * 0.85,
        max: most * 1.15,
        axisLabel: { ...text, customValues: sizes },
        axisTick: { customValues: sizes },
        minorTick: { show: false },
        splitLine: { show: false },
        axisLine: { lineStyle: { color: LINE }, onZero: false },
        name: 'points in the coreset',
        nameLocation: 'middle',
        nameGap: 26,
        nameTextStyle: text,
      })),
      yAxis: panels.map((_, i) => ({
        gridIndex: i,
        type: 'log',
        axisLabel: { ...text, formatter: power },
        axisLine: { show: false },
        splitLine: { lineStyle: { color: LINE } },
      })),
      series,
    });
    return picture.renderToSVGString();
  } finally {
    picture.dispose();
  }
}
