import { ConfigError } from '@bpc/core';
import type { ReliabilityBin } from '../metrics/calibration.js';
import { type CurveField, kindColour, type LearningCurve } from './curve.js';
import { formatSummary, formatValue, mainMetrics, metricLabel } from './format.js';
import { headline } from './headline.js';
import { type Html, html, trusted } from './html.js';
import { type MetricSummary, type ResultRow, type Results, scoredSplit } from './results.js';
import { reportStyle } from './style.js';
import { seedsText } from './table.js';

/** Pictures and series of a run; every part is optional and left out of the report if absent. */
export interface ReportAssets {
  /** Contact sheet (PNG) of the coreset at step 0. */
  readonly before?: Uint8Array;
  /** Contact sheet (PNG) of the learned coreset. */
  readonly after?: Uint8Array;
  readonly curves?: readonly LearningCurve[];
  /** Bins per row name. */
  readonly reliability?: Readonly<Record<string, readonly ReliabilityBin[]>>;
}

type Charts = typeof import('./charts.js');

/**
 * The report of a run as one HTML page without any external request (its own content policy forbids them).
 *
 * The result in words, accuracy by row, the table with what controls and ceiling mean, the coreset before and after,
 * learning curves, reliability diagrams, environment and configuration. Follows the reader's light or dark setting.
 *
 * @throws ConfigError if a sheet is not a PNG.
 *
 * @example
 * ```ts
 * import { renderReport } from '@bpc/bench';
 * const page = await renderReport({
 *   task: { dataset: 'digits', method: 'bpc-cd', ipc: 1, network: 'mlp' },
 *   rows: [{ name: 'learned', kind: 'learned', metrics: { accuracy: { mean: 0.8, std: 0.01, n: 3 } } }],
 *   environment: { runtime: 'js', threads: 1, node: process.version, versions: {}, seconds: { learn: 2 }, peakRssMb: 90 },
 *   config: {},
 * });
 * ```
 */
export async function renderReport(results: Results, assets: ReportAssets = {}): Promise<string> {
  // Loaded here, because the chart library would otherwise slow every start of the command and of its workers.
  const charts = await import('./charts.js');
  const title = `${results.task.dataset}, ${results.task.method}: pseudo-coreset report`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${title}</title>
<style>${trusted(reportStyle)}</style>
</head>
<body><main>
<header><p class="task">${taskLine(results.task)}</p><h1>${headline(results).replaceAll(' %', '\u00a0%')}</h1></header>
${comparison(results, charts)}
${sheets(assets, results.task)}
${curves(assets.curves ?? [], charts, results.task)}
${reliability(results, assets.reliability ?? {}, charts)}
${records(results)}
</main></body>
</html>
`;
  return page.markup;
}

function taskLine(task: Results['task']): string {
  const images = `${task.ipc} ${task.ipc === 1 ? 'image' : 'images'} per class`;
  return [task.dataset, task.method, images, task.network].join(' · ');
}

const splitNotes = {
  test: 'The test set is only scored; all choices are made on validation images.',
  validation: 'These figures are for choosing settings and are no results: score the test set for those.',
} as const;

const predictingBy = {
  ensemble:
    'Predictions of several networks, each trained from its own fresh start, are averaged. At temperature T = 0 each is a single best fit, so this is an ensemble and no sample of a posterior.',
  posterior:
    'Predictions are averaged over draws of network weights from the posterior given the coreset, several chains from fresh starts. Rows called ensemble are single best fits instead.',
  'point estimates':
    'Each network is trained from its own fresh start and scored alone, and the figures are means over networks. These are point estimates: predictions are not averaged.',
} as const;

function comparison({ rows, task }: Results, charts: Charts): Html {
  const split = scoredSplit(task);
  const scored = rows.some((row) => row.metrics['accuracy'] !== undefined);
  const chart = scored
    ? html`<figure class="scroll">${trusted(charts.accuracyChart(rows, `Accuracy of every row on the ${split} set`))}</figure>`
    : undefined;
  const extra = [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))].filter((metric) => !mainMetrics.includes(metric));
  const more = extra.length === 0 ? undefined : html`<details><summary>More metrics</summary>${table(rows, extra)}</details>`;
  const legacyRows = rows.flatMap((row) => (row.legacy === undefined ? [] : [{ ...row, metrics: row.legacy }]));
  const legacyNames = [...new Set(legacyRows.flatMap((row) => Object.keys(row.metrics)))];
  const legacy =
    legacyNames.length === 0
      ? undefined
      : html`<details><summary>Legacy: what published code would have printed</summary><p class="muted">For comparison with its tables only: calibration and likelihood are averaged batch by batch, which inflates both, and accuracy is the mean of single networks.</p>${table(legacyRows, legacyNames)}</details>`;
  const notes = rows.filter((row) => row.note !== undefined).map((row) => html`<dt>${row.name}</dt><dd>${row.note}</dd>`);
  const inference = (['point estimates', 'posterior'] as const).find((name) => rows.some((row) => row.inference === name)) ?? 'ensemble';
  const how = typeof task['prediction'] === 'string' ? `Here, for every row but the ceiling: ${task['prediction']}.` : '';
  const predicting =
    rows.some((row) => row.inference !== undefined) || how !== ''
      ? html`<dt>${inference[0]?.toUpperCase()}${inference.slice(1)}</dt><dd>${predictingBy[inference]} ${how}</dd>`
      : undefined;
  return html`<section><h2>Against controls and ceiling</h2>${chart}${table(rows, mainMetrics)}${more}${legacy}
<dl class="notes">
<dt>Control</dt><dd>Costs no learning and gets the same treatment in the same run: random real images, drawn afresh per seed; the real images nearest their class mean; the coreset before its first step. Learning counts for what it gains over the best of them.</dd>
<dt>Ceiling</dt><dd>The same network trained on the full training split: what these settings could reach with all the data.</dd>
<dt>Mean ± std</dt><dd>Over the stated number of seeds, population standard deviation. Every metric is computed on the whole ${split} set at once, never averaged over batches. ${splitNotes[split]}</dd>
${predicting}<dt>NLL</dt><dd>Negative log-likelihood, nats: minus the log of the probability that the averaged prediction gave to the true class, averaged over images. Smaller is better; it punishes being sure and wrong.</dd>
<dt>Brier</dt><dd>Squared distance between the predicted probabilities and the truth, 0 to 2. Smaller is better.</dd>
<dt>ECE</dt><dd>Expected calibration error: how far confidence is from accuracy, averaged over 15 equal bins of confidence. Smaller is better.</dd>
${notes}</dl></section>`;
}

function table(rows: readonly ResultRow[], metrics: readonly string[]): Html {
  const shown = metrics.filter((metric) => rows.some((row) => row.metrics[metric] !== undefined));
  const inferred = rows.some((row) => row.inference !== undefined);
  const body = rows.map((row) => {
    const dot = html`<span class="dot" style="background:${kindColour(row.kind)}"></span>`;
    return html`<tr class="${row.kind}"><th scope="row">${dot}${row.name}</th>${shown.map((metric) => cell(metric, row.metrics[metric]))}<td>${seedsText(row)}</td><td>${row.kind}</td>${inferred ? html`<td>${row.inference ?? '–'}</td>` : undefined}</tr>`;
  });
  const head = shown.map((metric) => html`<th scope="col">${metricLabel(metric)}</th>`);
  return html`<div class="scroll"><table><thead><tr><th scope="col">Row</th>${head}<th scope="col">Seeds</th><th scope="col">Kind</th>${inferred ? html`<th scope="col">Predicts by</th>` : undefined}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function cell(metric: string, summary: MetricSummary | undefined): Html {
  if (summary === undefined) return html`<td>–</td>`;
  return html`<td>${formatValue(metric, summary.mean)} <span class="std">± ${formatValue(metric, summary.std)}</span></td>`;
}

function sheets({ before, after }: ReportAssets, { seed }: Results['task']): Html | undefined {
  if (before === undefined && after === undefined) return undefined;
  const tall = [before, after].some((png) => png !== undefined && pngSize(png).width < 3 * pngSize(png).height);
  return html`<section><h2>The coreset</h2><p class="muted">${seed === undefined ? '' : `Seed ${String(seed)}, which is also in coreset.png and coreset.safetensors; other seeds have files with their number. `}Normalisation undone and clipped to the range of real images, the same mapping in both sheets.</p>
<div class="sheets ${tall ? 'pair' : ''}">${sheet(before, 'Before learning')}${sheet(after, 'After learning')}</div></section>`;
}

function sheet(png: Uint8Array | undefined, caption: string): Html | undefined {
  if (png === undefined) return undefined;
  const { width, height } = pngSize(png);
  const data = Buffer.from(png).toString('base64');
  return html`<figure><figcaption><strong>${caption}</strong></figcaption><img width="${width}" height="${height}" alt="${caption}" src="data:image/png;base64,${data}"></figure>`;
}

/** Width and height from the header chunk, which always comes first. */
function pngSize(png: Uint8Array): { readonly width: number; readonly height: number } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  if (png.byteLength < 24 || view.getUint32(12) !== 0x49484452)
    throw new ConfigError('a contact sheet is not a PNG', 'pass the bytes of contactSheet');
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

function curves(all: readonly LearningCurve[], charts: Charts, task: Results['task']): Html | undefined {
  const panel = (field: CurveField, caption: string) => {
    const some = all.some(({ points }) => points.some((point) => point[field] !== undefined));
    return some
      ? html`<figure><figcaption><strong>${caption}</strong></figcaption>${trusted(charts.curveChart(all, field, caption))}</figure>`
      : undefined;
  };
  const panels = [
    panel('validationAccuracy', 'Validation accuracy, %'),
    panel('validationNll', 'Validation NLL, nats'),
    panel('value', 'Divergence estimate'),
  ];
  if (panels.every((part) => part === undefined)) return undefined;
  const note = all.length > 1 ? 'One thin line per seed; the bold line is their mean.' : 'One seed; in bold a running mean.';
  return html`<section><h2>Learning</h2><p class="muted">${note} Validation points are the coreset at that step, scored by one network per seed on validation images${scoredSplit(task) === 'test' ? ', which neither learning nor any row uses' : ''}: they show the course, not the result. The divergence estimate (bold: a running mean) steers the gradient; it need not fall while the coreset improves.</p><div class="pair">${panels}</div></section>`;
}

function reliability({ rows, task }: Results, bins: Readonly<Record<string, readonly ReliabilityBin[]>>, charts: Charts): Html | undefined {
  const panels = rows.flatMap((row) => {
    const own = Object.hasOwn(bins, row.name) ? bins[row.name] : undefined;
    if (own === undefined || own.every((bin) => bin.count === 0)) return [];
    const error = row.metrics['ece'] === undefined ? undefined : html`<br>ECE ${formatSummary('ece', row.metrics['ece'])} %`;
    return [
      html`<figure><figcaption><strong>${row.name}</strong>${error}</figcaption>${trusted(charts.reliabilityChart(own, row.kind, 'Reliability diagram'))}</figure>`,
    ];
  });
  if (panels.length === 0) return undefined;
  return html`<section><h2>Reliability</h2><p class="muted">Accuracy against confidence on the ${scoredSplit(task)} set. On the dashed line confidence is honest; below it the prediction is overconfident. A dot's area is the share of points in its bin.</p><div class="small">${panels}</div></section>`;
}

function records({ environment, config, task }: Results): Html {
  const { runtime, threads, node, versions, seconds, peakRssMb, threadSeconds, workers, resumed, ...others } = environment;
  const count = typeof workers === 'number' ? `, ${workers} ${workers === 1 ? 'worker' : 'workers'}` : '';
  const whole = Object.values(seconds).reduce((a, b) => a + b, 0);
  const phases = Object.entries(seconds).map(([phase, s]) => `${phase} ${s.toFixed(1)} s`);
  const machine = {
    Runtime: `${runtime}, ${threads} ${threads === 1 ? 'thread' : 'threads'}${count === '' ? '' : ' per task'}${count}`,
    'Node.js': node,
    Versions: Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    'Wall time': `${whole.toFixed(1)} s (${phases.join(', ')})`,
    'Peak memory': `${Math.round(peakRssMb)} MB`,
    ...(isRecord(threadSeconds) ? { 'Thread time': threadTime(threadSeconds) } : {}),
    ...(resumed === undefined ? {} : { Resumed: resumed === true ? 'yes: times are sums over its parts' : 'no' }),
    ...others,
  };
  return html`<section><h2>Environment</h2>${record(machine)}</section>
<section><h2>Configuration</h2>${record({ ...task, ...flatten(config) })}</section>`;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** What threads were busy with; `learn` and scoring go on side by side. */
const threadTime = (seconds: Readonly<Record<string, unknown>>): string =>
  `${Object.entries(seconds)
    .map(([kind, s]) => `${kind} ${Number(s).toFixed(1)} s`)
    .join(', ')}; threads work side by side, and score controls and ceiling while coresets are learned`;

function record(values: Readonly<Record<string, unknown>>): Html {
  const shown = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  return html`<dl class="record">${shown.map(([name, value]) => html`<dt>${name}</dt><dd>${typeof value === 'string' ? value : JSON.stringify(value)}</dd>`)}</dl>`;
}

/** `{ a: { b: 1 } }` as `{ 'a.b': 1 }`; lists stay. */
function flatten(values: Readonly<Record<string, unknown>>, prefix = ''): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (nested) Object.assign(flat, flatten(Object.fromEntries(Object.entries(value)), `${prefix}${name}.`));
    else flat[`${prefix}${name}`] = value;
  }
  return flat;
}
