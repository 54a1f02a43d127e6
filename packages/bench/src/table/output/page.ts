import { metricLabel } from '../../report/format.js';
import { type Html, html, trusted } from '../../report/html.js';
import { reportStyle } from '../../report/style.js';
import { ownInit } from '../statistics/compare-cells.js';
import type { CellResult, Comparison, TableResults } from '../table-results.js';
import {
  type CellGroup,
  cellGroups,
  columns,
  groupTitle,
  hasPrinted,
  kindText,
  legend,
  missing,
  printedText,
  rowTexts,
} from './cell-text.js';
import { intervalChart } from './interval-chart.js';
import { comparisonHead, comparisonRows } from './markdown.js';
import { differenceMatrices, matrixNote } from './pooled-matrix.js';

const tableStyle = `
main { max-width: 1080px; }
table.rows td, table.rows th { padding: 6px 12px; }
tr.control th, tr.control td { font-style: italic; color: var(--muted); }
tr.ceiling th, tr.ceiling td { border-top: 2px solid var(--ceiling); color: var(--ceiling); }
tr.learned th { color: var(--learned); }
tr.failed td:nth-child(2) { color: var(--divergent); font-weight: 600; }
td.printed { color: var(--muted); font-size: 13px; line-height: 1.35; }
table.matrix { font-size: 13px; } table.matrix td, table.matrix th { padding: 5px 7px; }
.charts { display: grid; gap: 8px 28px; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); }
h3 { font-size: 15px; font-weight: 650; margin: 22px 0 0; }
ul.findings { margin: 12px 0 0; padding-left: 20px; max-width: 86ch; } ul.findings li { margin: 5px 0; }
table.differences { font-size: 13px; } table.differences td, table.differences th { padding: 4px 10px; }
`;

const rowClass = ({ kind, status }: CellResult): string => (status === 'failed' ? `${kind} failed` : kind);
const colourOf = ({ kind }: CellResult): string => `var(--${kind})`;

function row(cell: CellResult, results: TableResults): Html {
  const texts = rowTexts(cell, results);
  const figures = hasPrinted(results) ? texts.slice(0, -1) : texts;
  const printed = hasPrinted(results)
    ? html`<td class="printed">${cell.printed.map((one) => html`<div>${printedText([one], cell.printed.length > 1)}</div>`)}</td>`
    : undefined;
  const cells = figures.map((text, i) =>
    i === 0 && missing(cell) === 'failed' ? html`<td title="${cell.failure?.message}">${text}</td>` : html`<td>${text}</td>`,
  );
  return html`<tr class="${rowClass(cell)}"><th scope="row"><span class="dot" style="background:${colourOf(cell)}"></span>${cell.row}</th>${cells}${printed}</tr>`;
}

function groupTable(group: CellGroup, results: TableResults): Html {
  const head = columns(results).map((name) => html`<th scope="col">${name}</th>`);
  const rows = group.cells.map((cell) => row(cell, results));
  const failures = group.cells.flatMap(({ status, row: name, failure }) =>
    status === 'failed'
      ? [
          html`<p class="muted"><strong>${name}</strong> failed: ${failure?.message}${failure?.remedy === undefined ? '' : ` (${failure.remedy})`}</p>`,
        ]
      : [],
  );
  return html`<section><h2>${groupTitle(group)}</h2><div class="scroll"><table class="rows"><thead><tr><th></th>${head}</tr></thead><tbody>${rows}</tbody></table></div>${failures}</section>`;
}

function matrices({ comparisons }: TableResults): Html | undefined {
  const all = differenceMatrices(comparisons);
  const [first] = all;
  if (first === undefined) return undefined;
  const tables = all.map(
    ({ metric, controls, rows }) =>
      html`<div class="scroll"><table class="rows matrix"><thead><tr><th>${metricLabel(metric)}</th>${controls.map((name) => html`<th scope="col">− ${name}</th>`)}</tr></thead><tbody>${rows.map(({ method, texts }) => html`<tr class="learned"><th scope="row">${method}</th>${texts.map((text) => html`<td>${text}</td>`)}</tr>`)}</tbody></table></div>`,
  );
  return html`<section><h2>Methods minus controls, ${first.scope}</h2><p class="muted">${matrixNote}</p>${tables}</section>`;
}

function charts({ comparisons }: TableResults): Html | undefined {
  const against = comparisons.filter(({ family }) => family.startsWith('methods against controls'));
  const controls = [...new Set(against.map(({ to }) => to))].sort((a, b) => Number(b === ownInit) - Number(a === ownInit));
  const metrics = [...new Set(against.map(({ metric }) => metric))];
  if (controls.length === 0) return undefined;
  const figures = metrics.map(
    (metric) =>
      html`<div class="charts">${controls.map((to) => html`<figure>${trusted(intervalChart(comparisons, metric, to))}</figure>`)}</div>`,
  );
  return html`<section><h2>Cell by cell</h2><p class="muted">Paired differences by seed with their 95 % t-intervals, not adjusted; the large dots pool all cells. Blue: the method is better. Red: the control is. Grey: the interval holds 0. Whiskers end at the frame where they are longer.</p>${figures}</section>`;
}

function differences(comparisons: readonly Comparison[]): Html {
  const families = [...new Set(comparisons.map(({ family }) => family))];
  return html`${families.map((family) => {
    const own = comparisonRows(comparisons.filter((comparison) => comparison.family === family));
    return html`<details><summary>${family} (${own.length})</summary><div class="scroll"><table class="differences"><thead><tr>${comparisonHead.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${own.map((texts) => html`<tr>${texts.map((text) => html`<td>${text}</td>`)}</tr>`)}</tbody></table></div></details>`;
  })}`;
}

const show = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const record = (values: Readonly<Record<string, unknown>>): Html =>
  html`<dl class="record">${Object.entries(values).map(([name, value]) => html`<dt>${name}</dt><dd>${show(value)}</dd>`)}</dl>`;

/** The table as one HTML page without any external request (its own content policy forbids them). */
export function tablePage(results: TableResults): string {
  const { title, scoredOn, findings, comparisons, environment, trials, config } = results;
  const kinds = Object.values(kindText).filter((text) => text !== '');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${title}</title>
<style>${trusted(reportStyle + tableStyle)}</style>
</head>
<body><main>
<header><p class="task">methods beside ${kinds.join(' and ')} · ${scoredOn} split</p><h1>${title}</h1></header>
<section>${legend(results).map((text) => html`<p class="muted">${text}</p>`)}</section>
${cellGroups(results.cells).map((group) => groupTable(group, results))}
${matrices(results)}
${charts(results)}
<section><h2>In words</h2>${findings.map((finding) => html`<h3>${finding.title}</h3><ul class="findings">${finding.sentences.map((text) => html`<li>${text}</li>`)}</ul>`)}</section>
<section><h2>All differences</h2>${differences(comparisons)}</section>
${Object.keys(trials).length === 0 ? undefined : html`<section><h2>Tuning trials</h2>${record(trials)}</section>`}
<section><h2>Environment</h2>${record(environment)}</section>
<section><h2>Configuration</h2><details><summary>as given</summary><pre>${JSON.stringify(config, null, 2)}</pre></details></section>
</main></body>
</html>
`.markup;
}
