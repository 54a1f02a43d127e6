import { type DatasetName, defaultMethod, type MethodName, type Overrides, type RunConfig, resolveConfig } from '../config/index.js';
import { methodTraits } from '../methods/traits.js';
import type { SelectionRule } from '../selection/select-points.js';
import { type Failure, failureOf } from './failure.js';
import { seedsFor } from './read-table-config.js';
import { type ControlName, controlNames, type TableConfig, type TableSettings } from './table-schema.js';

/** Where the points of a row come from. */
export type RowSource =
  | { readonly kind: 'initial'; readonly init: RunConfig['init']; readonly logits: boolean; readonly counts: boolean }
  | { readonly kind: 'selected'; readonly rule: SelectionRule }
  | { readonly kind: 'learned'; readonly method: MethodName }
  | { readonly kind: 'full' };

/** One row at one data set and number of images per class. */
export interface Cell {
  /** `mnist/1/bpc-cd`. */
  readonly id: string;
  readonly dataset: DatasetName;
  readonly ipc: number;
  readonly row: string;
  readonly kind: 'control' | 'learned' | 'ceiling';
  readonly seeds: readonly number[];
  readonly source: RowSource;
  /** All settings; network, evaluation and ceiling are equal in every row of a data set and number of images per class. */
  readonly config: RunConfig;
  /** Of a method: its `init` row. */
  readonly ownInit?: string;
}

/** A cell whose settings contradict each other. */
export interface ImpossibleCell extends Pick<Cell, 'id' | 'dataset' | 'ipc' | 'row' | 'kind' | 'seeds'> {
  readonly failure: Failure;
}

/** All cells of a table, in its order. */
export interface Cells {
  readonly possible: readonly Cell[];
  readonly impossible: readonly ImpossibleCell[];
  /** Ids of all, in the order of the table. */
  readonly order: readonly string[];
}

const merged = (under: TableSettings, over: TableSettings): TableSettings => ({
  ...under,
  ...over,
  ...(under.evaluation === undefined && over.evaluation === undefined ? {} : { evaluation: { ...under.evaluation, ...over.evaluation } }),
  ...(under.full === undefined && over.full === undefined ? {} : { full: { ...under.full, ...over.full } }),
});

/** Settings of the file that concern some cells, later ones over earlier ones. */
function settingsFor({ settings, overrides }: TableConfig, dataset: DatasetName, ipc: number, method?: MethodName): TableSettings {
  return overrides
    .filter(
      (one) =>
        (one.datasets?.includes(dataset) ?? true) &&
        (one.ipc?.includes(ipc) ?? true) &&
        (one.methods === undefined || (method !== undefined && one.methods.includes(method))),
    )
    .reduce((under, { settings: over }) => merged(under, over), settings);
}

const control = (row: ControlName): Pick<Cell, 'row' | 'kind'> => ({ row, kind: row === 'full' ? 'ceiling' : 'control' });

type Group = Pick<Cell, 'dataset' | 'ipc' | 'seeds'>;
type Wide = Pick<RunConfig, 'dataset' | 'ipc' | 'seeds' | 'seed' | 'scoreOn' | 'threads' | 'workers'>;

/** What the table decides for all rows of a data set and number of images per class. */
function wide({ seed, scoreOn, threads, workers }: TableConfig, { dataset, ipc, seeds }: Group): Wide {
  return { dataset, ipc, seeds: seeds.length, seed, scoreOn, threads, workers: workers ?? 1 };
}

function methodConfig(table: TableConfig, group: Group, method: MethodName, shared: Overrides): RunConfig {
  const own = settingsFor(table, group.dataset, group.ipc, method);
  return resolveConfig({ file: { path: 'the table', values: { ...own, ...wide(table, group), ...shared, method } } });
}

type Initial = Extract<RowSource, { kind: 'initial' }>;

/** The coreset that a method starts from, as its own control. */
function startOf({ init, learnLabels, method, evaluation }: RunConfig): Initial {
  // Where only the shares of weights count, it does not matter whether they are 1 or numbers of images.
  const counts = evaluation.reduction === 'sum' && methodTraits[method].totalWeight === 'data';
  return { kind: 'initial', init, logits: learnLabels, counts };
}

const startName = ({ init, logits, counts }: Initial): string =>
  [init, ...(logits ? ['logits'] : []), ...(counts ? ['weights N/M'] : [])].join(', ');

/** The `init` rows by what they are: one, unless methods start from different points. */
function initRows(learned: readonly Cell[]): Map<string, { readonly row: string; readonly source: Initial; readonly config: RunConfig }> {
  const starts = new Map(learned.map(({ config }) => [startName(startOf(config)), config]));
  return new Map(
    [...starts].map(([name, config]) => [name, { row: starts.size === 1 ? 'init' : `init (${name})`, source: startOf(config), config }]),
  );
}

function groupCells(table: TableConfig, group: Group): { possible: Cell[]; impossible: ImpossibleCell[] } {
  const { dataset, ipc } = group;
  const id = (row: string) => `${dataset}/${ipc}/${row}`;
  let base: RunConfig;
  try {
    const values = { ...settingsFor(table, dataset, ipc), ...wide(table, group), method: defaultMethod };
    base = resolveConfig({ file: { path: 'the table', values } });
  } catch (error) {
    const failure = failureOf(error);
    const rows = [...table.rows.map(control), ...table.methods.map((row) => ({ row, kind: 'learned' as const }))];
    return { possible: [], impossible: rows.map((row) => ({ ...group, ...row, id: id(row.row), failure })) };
  }
  const { evaluation, full, network, width, depth, preprocess } = base;
  const learned: Cell[] = [];
  const impossible: ImpossibleCell[] = [];
  for (const method of table.methods) {
    const cell = { ...group, id: id(method), row: method, kind: 'learned' as const };
    try {
      const config = methodConfig(table, group, method, { evaluation, full, network, width, depth, preprocess });
      learned.push({ ...cell, config, source: { kind: 'learned', method } });
    } catch (error) {
      impossible.push({ ...cell, failure: failureOf(error) });
    }
  }
  const inits = table.rows.includes('init') ? initRows(learned) : new Map<string, never>();
  const controls = controlNames
    .filter((name) => table.rows.includes(name))
    .flatMap((name): Cell[] => {
      const one = (source: RowSource) => [{ ...group, ...control(name), config: base, id: id(name), source }];
      if (name === 'full') return one({ kind: 'full' });
      if (name === 'random' || name === 'nearest-mean') return one({ kind: 'initial', init: name, logits: false, counts: false });
      if (name !== 'init') return one({ kind: 'selected', rule: name });
      return [...inits.values()].map(({ row, source, config }) => ({ ...group, row, kind: 'control', config, id: id(row), source }));
    });
  const withInit = learned.map((cell) => {
    const own = inits.get(startName(startOf(cell.config)));
    return own === undefined ? cell : { ...cell, ownInit: own.row };
  });
  return { possible: [...controls, ...withInit], impossible };
}

/**
 * All cells of a table: data sets × images per class × rows.
 *
 * Network, evaluation and ceiling of a data set and number of images per class come from the default method's preset and the
 * settings that name no method, and are the same in all rows. A cell whose settings contradict each other is not the
 * table's end: it is listed as impossible with what is wrong.
 */
export function tableCells(table: TableConfig): Cells {
  const groups = table.datasets.flatMap((dataset) =>
    table.ipc.map((ipc) => groupCells(table, { dataset, ipc, seeds: seedsFor(table, ipc) })),
  );
  const possible = groups.flatMap((group) => group.possible);
  const impossible = groups.flatMap((group) => group.impossible);
  const rank = new Map([...table.rows.filter((row) => row !== 'full'), ...table.methods, 'full'].map((row, i) => [row as string, i]));
  const place = (row: string) => rank.get(row) ?? rank.get(row.replace(/ \(.*/, '')) ?? 0;
  const order = groups.flatMap((group) =>
    [...group.possible, ...group.impossible].sort((a, b) => place(a.row) - place(b.row)).map(({ id }) => id),
  );
  return { possible, impossible, order };
}
