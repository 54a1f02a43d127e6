import { join } from 'node:path';
import type { DatasetName, RunConfig } from '../config/index.js';
import type { Dataset, ImageShape } from '../data/dataset.js';
import type { EvaluateTaskOptions } from '../evaluation/evaluate-task.js';
import type { FullTaskOptions } from '../evaluation/full-task.js';
import { expertFileName } from '../experts/expert-file.js';
import { networkSpec } from '../experts/network.js';
import { type ExpertSettings, expertRecipe, expertTasks, isTrained } from '../experts/train-experts.js';
import { expertSettings } from '../learning/experts-phase.js';
import { evaluationPasses, expertPasses, fullPasses, learningPasses } from '../learning/job-cost.js';
import { type LearnTaskOptions, learningRecord } from '../learning/learn-task.js';
import { coresetFile, isLearned } from '../learning/learned-files.js';
import { passSeconds } from '../learning/pass-seconds.js';
import type { ScoreLearnedOptions } from '../learning/score-learned-task.js';
import type { RunFolder } from '../run-folder/index.js';
import type { SelectionRule } from '../selection/select-points.js';
import type { SelectionSettings, SelectionTaskOptions } from '../selection/selection-task.js';
import { moduleUrl, type TaskSpec } from '../workers/index.js';
import type { Cell } from './cells.js';
import { contentName } from './hash.js';
import type { InitialRecipe, ScoreInitialOptions } from './score-initial-task.js';

/** What is known of a data set before it is loaded. */
export interface DatasetFacts {
  readonly name: DatasetName;
  readonly shape: ImageShape;
  readonly classes: number;
  readonly counts: { readonly train: number; readonly validation: number; readonly test: number };
}

/** What threads must hold for a job: jobs of equal `key` share it. */
export interface DataPlace {
  readonly key: string;
  readonly dataset: DatasetName;
  readonly preprocess: RunConfig['preprocess'];
}

/** One piece of work of a table. Its name holds everything that decides its result. */
export interface TableJob {
  readonly name: string;
  /** What its time is booked as: `experts`, `selection`, `learn bpc-cd`, `score`, `full`. */
  readonly kind: string;
  readonly data: DataPlace;
  /** Ids of the cells that need it. */
  readonly cells: readonly string[];
  readonly after: readonly string[];
  /** Rough cost: seconds of one thread. */
  readonly seconds: number;
  /** The file it leaves, if its result is a file and no piece. */
  readonly file?: string;
  /** False if that file is damaged, which is announced. */
  readonly isSound?: (dataset: Dataset, warn: (message: string) => void) => Promise<boolean>;
  /** The task, once the data set is there. */
  readonly task: (dataset: Dataset) => TaskSpec<unknown>;
}

/** Where the figures of a cell and seed come from. */
export interface ScoreSource {
  readonly seed: number;
  readonly job: string;
  /** The learned coreset's file. */
  readonly coreset?: string;
}

/** Jobs of a table, each once, and where every cell finds its figures. */
export interface TableJobs {
  readonly jobs: readonly TableJob[];
  readonly sources: ReadonlyMap<string, readonly ScoreSource[]>;
}

type Paths = Pick<RunFolder, 'checkpointFolder'>;

interface Planned {
  readonly source: ScoreSource;
  readonly jobs: readonly TableJob[];
}

const placeOf = ({ dataset, config: { preprocess } }: Cell): DataPlace => ({
  key: preprocess === 'standardise' ? dataset : `${dataset}, ${preprocess}`,
  dataset,
  preprocess,
});

const pass = (cell: Cell, facts: DatasetFacts): number => passSeconds(cell.config, facts.shape);

/** What decides how points are scored, besides the points. */
function scoring({ config }: Cell, facts: DatasetFacts, seed: number): Omit<EvaluateTaskOptions, 'coreset'> {
  return { network: networkSpec(config, facts), settings: config.evaluation, seed, split: config.scoreOn };
}

const scoreSeconds = (cell: Cell, facts: DatasetFacts): number =>
  pass(cell, facts) * evaluationPasses(cell.config.evaluation, cell.ipc * facts.classes, facts.counts[cell.config.scoreOn]);

function fullPlan(cell: Cell, facts: DatasetFacts, seed: number): Planned {
  const { config, dataset, id } = cell;
  const data = placeOf(cell);
  const options: FullTaskOptions = { network: networkSpec(config, facts), settings: config.full, seed, split: config.scoreOn };
  const job = `full-${dataset}-seed${seed}-${contentName({ data: data.key, ...options })}`;
  const task = { module: moduleUrl('../evaluation/full-task.js', import.meta.url), export: 'fullTask', options };
  const seconds = pass(cell, facts) * fullPasses(config.full, facts.counts.train, facts.counts[config.scoreOn]);
  return { source: { seed, job }, jobs: [{ name: job, kind: 'full', data, cells: [id], after: [], seconds, task: () => task }] };
}

function initialPlan(cell: Cell, facts: DatasetFacts, seed: number, recipe: InitialRecipe): Planned {
  const { dataset, ipc, id } = cell;
  const data = placeOf(cell);
  const options: ScoreInitialOptions = { ...scoring(cell, facts, seed), recipe };
  const job = `score-${dataset}-ipc${ipc}-seed${seed}-${contentName({ data: data.key, ...options })}`;
  const task = { module: moduleUrl('./score-initial-task.js', import.meta.url), export: 'scoreInitialTask', options };
  return {
    source: { seed, job },
    jobs: [{ name: job, kind: 'score', data, cells: [id], after: [], seconds: scoreSeconds(cell, facts), task: () => task }],
  };
}

/** The experts that a cell learns from; cells of equal expert settings share them. */
function expertJobs(
  cell: Cell,
  facts: DatasetFacts,
  paths: Paths,
): { readonly folder: string; readonly settings: ExpertSettings; readonly jobs: TableJob[] } {
  const { config, dataset, id } = cell;
  const settings = expertSettings(config, networkSpec(config, facts));
  const recipe = expertRecipe(settings, dataset);
  const name = `${dataset}-${contentName(recipe)}`;
  const folder = paths.checkpointFolder('experts', name);
  const seconds = pass(cell, facts) * expertPasses(config, facts.counts.train);
  const path = (expert: number) => join(folder, expertFileName(expert));
  const jobs = Array.from(
    { length: config.experts },
    (_, expert): TableJob => ({
      name: `expert-${name}-${expert}`,
      kind: 'experts',
      data: placeOf(cell),
      cells: [id],
      after: [],
      seconds,
      file: path(expert),
      isSound: (_, warn) => isTrained(path(expert), recipe, config.expertEpochs, warn),
      task: (loaded) => {
        const [task] = expertTasks({ ...settings, dataset: loaded, folder }, [expert]);
        if (task === undefined) throw new Error(`no task for expert ${expert}`);
        return task;
      },
    }),
  );
  return { folder, settings, jobs };
}

type CoresetPlan = Pick<TableJob, 'after' | 'seconds' | 'task' | 'kind'> & { readonly folder: string; readonly label: string };

/** A job that leaves a coreset file, and the one that scores it. */
function filePlan(cell: Cell, facts: DatasetFacts, seed: number, { folder, label, ...making }: CoresetPlan): Planned {
  const { dataset, ipc, id } = cell;
  const data = placeOf(cell);
  const file = coresetFile(folder);
  const isSound: TableJob['isSound'] = (loaded, warn) => isLearned(folder, loaded, warn);
  const make: TableJob = { ...making, name: `make-${label}`, data, cells: [id], file, isSound };
  const how = scoring(cell, facts, seed);
  const options: ScoreLearnedOptions = { ...how, file };
  const task = { module: moduleUrl('../learning/score-learned-task.js', import.meta.url), export: 'scoreLearnedTask', options };
  const name = `score-${dataset}-ipc${ipc}-seed${seed}-${contentName({ data: data.key, ...how, coreset: label })}`;
  const score: TableJob = {
    name,
    kind: 'score',
    data,
    cells: [id],
    after: [make.name],
    seconds: scoreSeconds(cell, facts),
    task: () => task,
  };
  return { source: { seed, job: name, coreset: file }, jobs: [make, score] };
}

function learnedPlan(cell: Cell, facts: DatasetFacts, seed: number, { paths, allowInexact = false }: PlanOptions): Planned {
  const { config, dataset, ipc, row } = cell;
  const experts = expertJobs(cell, facts, paths);
  const recipe = expertRecipe(experts.settings, dataset);
  const label = `${dataset}-ipc${ipc}-${row}-seed${seed}-${contentName({ seed, settings: learningRecord(config) })}`;
  const folder = paths.checkpointFolder('coresets', label);
  const network = networkSpec(config, facts);
  const options: LearnTaskOptions = { config, network, seed, expertFolder: experts.folder, recipe, folder, allowInexact };
  const { source, jobs } = filePlan(cell, facts, seed, {
    folder,
    label,
    kind: `learn ${row}`,
    after: experts.jobs.map(({ name }) => name),
    seconds: pass(cell, facts) * learningPasses(config, ipc * facts.classes),
    task: () => ({ module: moduleUrl('../learning/learn-task.js', import.meta.url), export: 'learnTask', options }),
  });
  return { source, jobs: [...experts.jobs, ...jobs] };
}

/** Real images chosen by what trained networks see, or by what a training forgets. */
function selectedPlan(cell: Cell, facts: DatasetFacts, seed: number, { paths }: PlanOptions, rule: SelectionRule): Planned {
  const { config, dataset, ipc } = cell;
  const network = networkSpec(config, facts);
  const { train } = facts.counts;
  const experts = rule === 'forgetting' ? undefined : expertJobs(cell, facts, paths);
  const { networks: _, ...training } = config.full;
  const selection: SelectionSettings =
    rule === 'forgetting' || experts === undefined
      ? { rule: 'forgetting', network, training }
      : {
          rule,
          features: {
            network,
            folder: experts.folder,
            recipe: expertRecipe(experts.settings, dataset),
            count: config.experts,
            epochs: config.expertEpochs,
          },
        };
  const basis = rule === 'forgetting' ? { network, training } : experts?.settings;
  const what = { selection: rule, data: placeOf(cell).key, seed, ipc, training: basis };
  const label = `${dataset}-ipc${ipc}-${rule}-seed${seed}-${contentName(what)}`;
  const options: SelectionTaskOptions = { selection, ipc, seed, folder: paths.checkpointFolder('coresets', label) };
  const { source, jobs } = filePlan(cell, facts, seed, {
    folder: options.folder,
    label,
    kind: 'selection',
    after: (experts?.jobs ?? []).map(({ name }) => name),
    seconds: pass(cell, facts) * (rule === 'forgetting' ? 3 * training.epochs * train : train),
    task: () => ({ module: moduleUrl('../selection/selection-task.js', import.meta.url), export: 'selectionTask', options }),
  });
  return { source, jobs: [...(experts?.jobs ?? []), ...jobs] };
}

/** What planning needs besides cells. */
interface PlanOptions {
  readonly paths: Paths;
  readonly allowInexact?: boolean;
}

function plan(cell: Cell, facts: DatasetFacts, seed: number, options: PlanOptions): Planned {
  const { source, ipc } = cell;
  switch (source.kind) {
    case 'full':
      return fullPlan(cell, facts, seed);
    case 'learned':
      return learnedPlan(cell, facts, seed, options);
    case 'selected':
      return selectedPlan(cell, facts, seed, options, source.rule);
    case 'initial': {
      const weight = source.counts ? facts.counts.train / (ipc * facts.classes) : 1;
      return initialPlan(cell, facts, seed, { init: source.init, ipc, seed, labels: source.logits ? 'logits' : 'probabilities', weight });
    }
  }
}

/** The work behind some cells: what several of them need is one job, equal controls are scored once per seed. */
export function tableJobs(cells: readonly Cell[], facts: (name: DatasetName) => DatasetFacts, options: PlanOptions): TableJobs {
  const jobs = new Map<string, TableJob>();
  const sources = new Map<string, ScoreSource[]>();
  for (const cell of cells) {
    for (const seed of cell.seeds) {
      const planned = plan(cell, facts(cell.dataset), seed, options);
      sources.set(cell.id, [...(sources.get(cell.id) ?? []), planned.source]);
      for (const job of planned.jobs) {
        const known = jobs.get(job.name);
        jobs.set(job.name, known === undefined ? job : { ...known, cells: [...new Set([...known.cells, ...job.cells])] });
      }
    }
  }
  return { jobs: [...jobs.values()], sources };
}
