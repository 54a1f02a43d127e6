import { z } from 'zod';
import { choice, flag, integer, integerBetween, text } from '../config/domain.js';
import { configSchema, datasetNames, methodNames } from '../config/schema.js';
import { metricNames } from '../report/format.js';

/** Rows that cost no learning, in the order of a table; `full` is the ceiling. */
export const controlNames = ['random', 'nearest-mean', 'herding', 'k-center', 'forgetting', 'init', 'full'] as const;

const mostThreads = 256;

/** A list without repetitions; one value may stand for a list of one. */
const several = <T extends z.ZodType<string | number>>(value: T, what: string) =>
  z
    .union([value.transform((one) => [one]), z.array(value)], { error: `a list of ${what}` })
    .refine((list) => list.length > 0 && new Set(list).size === list.length, { error: `at least one of ${what}, none twice` });

const datasets = several(choice(datasetNames), 'data sets');
const counts = several(integer(1), 'images per class, integers >= 1');
const methods = several(choice(methodNames), 'methods');

const metric = z.string().refine((name) => metricNames.includes(name), { error: `one of: ${metricNames.join(', ')}` });

const shape = configSchema.shape;
const chosenByTable = {
  dataset: true,
  ipc: true,
  method: true,
  seeds: true,
  seed: true,
  scoreOn: true,
  runtime: true,
  workers: true,
  threads: true,
} as const;
const section = { error: 'a mapping of option names to values' };
const evaluation = z.strictObject(shape.evaluation.shape, section).partial();
const full = z.strictObject(shape.full.shape, section).partial();

/** Settings of `bpc learn` that a table may set for all its cells. */
const settings = configSchema.omit(chosenByTable).extend({ evaluation, full }).partial();
/** Settings of some cells, over those of all. */
const override = z.strictObject({
  datasets: datasets.optional(),
  ipc: counts.optional(),
  methods: methods.optional(),
  settings,
  reason: text().optional(),
});

/** A table as its file describes it. Everything but `datasets`, `ipc` and `methods` has a default. */
export const tableSchema = z.strictObject({
  $schema: z.string().optional(),
  title: text().optional(),
  datasets,
  ipc: counts,
  methods,
  rows: several(choice(controlNames), 'rows').default([
    ...controlNames.filter((name) => !['herding', 'k-center', 'forgetting'].includes(name)),
  ]),
  seeds: z
    .union([integer(1), z.record(z.string().regex(/^[1-9]\d*$/), integer(1))], {
      error: 'an integer >= 1, or one per number of images per class',
    })
    .default(3),
  seed: integer(0).default(0),
  scoreOn: choice(['test', 'validation']).default('test'),
  metrics: several(metric, 'metrics').default(['accuracy', 'nll', 'brier', 'ece']),
  settings: settings.default({}),
  overrides: z.array(override, { error: 'a list of { datasets, ipc, methods, settings }' }).default([]),
  printed: flag().default(true),
  trials: z.record(z.string(), integer(0)).default({}),
  runtime: text().optional(),
  threads: integerBetween(1, mostThreads).default(1),
  workers: integerBetween(0, mostThreads).optional(),
});

/** A validated table. */
export type TableConfig = z.infer<typeof tableSchema>;
/** Any subset of the settings of `bpc learn`. */
export type TableSettings = TableConfig['settings'];
/** A row that costs no learning. */
export type ControlName = (typeof controlNames)[number];
