import { formatValue, metricLabel } from '../../report/format.js';
import type { CellResult, PrintedFigure, Summary, TableResults } from '../table-results.js';

/** Cells of one data set and number of images per class. */
export interface CellGroup {
  readonly dataset: string;
  readonly ipc: number;
  readonly cells: readonly CellResult[];
}

/** The cells of a table by data set and images per class, in their order. */
export function cellGroups(cells: readonly CellResult[]): CellGroup[] {
  const groups = new Map<string, { dataset: string; ipc: number; cells: CellResult[] }>();
  for (const cell of cells) {
    const { dataset, ipc } = cell;
    const group = groups.get(`${dataset}/${ipc}`) ?? { dataset, ipc, cells: [] };
    group.cells.push(cell);
    groups.set(`${dataset}/${ipc}`, group);
  }
  return [...groups.values()];
}

/** `mnist, 1 image per class`. */
export const groupTitle = ({ dataset, ipc }: Pick<CellGroup, 'dataset' | 'ipc'>): string =>
  `${dataset}, ${ipc} ${ipc === 1 ? 'image' : 'images'} per class`;

/** `85.8 ± 0.6`; no spread for one seed. */
export function figure(metric: string, summary: Summary | undefined): string {
  if (summary === undefined) return '–';
  const mean = formatValue(metric, summary.mean);
  return summary.std === undefined ? mean : `${mean} ± ${formatValue(metric, summary.std)}`;
}

/** `82.98 / 1.87`. */
export const printedFigure = ({ accuracy, nll }: PrintedFigure): string => (nll === undefined ? accuracy : `${accuracy} / ${nll}`);

/** All that papers print for a row, with the column where there are several. */
export const printedText = (printed: readonly PrintedFigure[], named = printed.length > 1): string =>
  printed.map((one) => (named ? `${printedFigure(one)} [${one.column}]` : printedFigure(one))).join(', ');

/** Whether any cell has a figure of a paper beside it. */
export const hasPrinted = ({ cells }: TableResults): boolean => cells.some(({ printed }) => printed.length > 0);

/** What a row shows instead of figures that are not there. */
export const missing = ({ status, seeds }: CellResult): string | undefined => {
  if (status === 'failed') return 'failed';
  return seeds.length === 0 ? 'not run' : undefined;
};

/** Headings of a table's columns after the row's name. */
export const columns = (results: TableResults): string[] => [
  ...results.shown.map(metricLabel),
  'seeds',
  ...(hasPrinted(results) ? ['as printed: accuracy, % / NLL'] : []),
];

/** Cells of a row after its name. */
export function rowTexts(cell: CellResult, results: TableResults): string[] {
  const nothing = missing(cell);
  return [
    ...results.shown.map((metric, i) => (nothing === undefined ? figure(metric, cell.metrics[metric]) : i === 0 ? nothing : '')),
    nothing === undefined ? `${cell.seeds.length}${cell.status === 'pending' ? ' (not all)' : ''}` : '',
    ...(hasPrinted(results) ? [printedText(cell.printed)] : []),
  ];
}

/** What a row is, as people read it. */
export const kindText: Readonly<Record<CellResult['kind'], string>> = { control: 'control', learned: '', ceiling: 'ceiling' };

/** What stands under every table, whatever the format. */
export function legend(results: TableResults): string[] {
  const printed = hasPrinted(results)
    ? [
        'As printed: the figure of the paper, letter by letter. It was not reproduced here, and its network, budget and evaluation are others; it is no target.',
      ]
    : [];
  const choosing =
    results.scoredOn === 'validation' ? ['These figures are for choosing settings and are no results: score the test set for those.'] : [];
  return [
    ...choosing,
    `Figures are means over seeds ± sample standard deviation (divisor n − 1), on the ${results.scoredOn} split. A seed replicates draw, learning and evaluation; rows of a seed share the evaluation's random numbers.`,
    'Controls (italic) learn nothing: random images, images nearest their class mean, selections, and init, what a method starts from. The ceiling is the same network trained on all training images.',
    ...printed,
    ...results.notes,
  ];
}
