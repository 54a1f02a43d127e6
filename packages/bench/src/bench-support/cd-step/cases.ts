import { DSA_STRATEGY } from '@bpc/core';
import { type BenchNetwork, networkTitle, type ParameterShapes, parameterShapes } from '../bench-network.js';
import type { Contestant } from '../race.js';
import { type CdStepTask, commandOf, type GradientTask } from '../task.js';
import { type CaseName, type CdStepOptions, goalWidth, type ShapeName, type SubjectName } from './options.js';

/** One line of a table: a race, and what its ratios should not exceed. */
export interface TimedCase {
  readonly name: string;
  readonly kind: CaseName;
  /** Images per step. */
  readonly batch: number;
  readonly contestants: readonly Contestant[];
  goalOf(peer: string): number | undefined;
  /** Most memory that ours should take, in MB. */
  readonly memoryGoal?: number;
}

/** Depth 3 on 32×32×3 images: the ConvNet of the papers. */
export const mainNetwork = (width: number): BenchNetwork => ({ kind: 'convnet', inputShape: [32, 32, 3], depth: 3, width });

/** The networks of the case `shapes`. */
export function shapeNetwork(shape: ShapeName, width: number): BenchNetwork {
  switch (shape) {
    case 'convnet-28':
      return { kind: 'convnet', inputShape: [28, 28, 1], depth: 3, width };
    case 'convnet-64':
      return { kind: 'convnet', inputShape: [64, 64, 3], depth: 4, width };
    case 'resnet18':
    case 'vgg11':
      return { kind: shape, inputShape: [32, 32, 3], depth: 0, width: 0 };
  }
}

/** λ and T of the Langevin steps: the noise moves parameters about as far as the gradient does. */
export const langevinSettings = { stepSize: 0.01, temperature: 1e-7 };

const threadsTitle = (threads: number): string => (threads === 1 ? '1 thread' : `${threads} threads`);

// tfjs has one thread in Node, whatever is asked of it, so it takes part once.
const takesPart = (subject: SubjectName, threads: number, { threads: all }: CdStepOptions) =>
  !subject.startsWith('tfjs:') || threads === all[0];

// A subject whose next case would take longer per step is left out of it, unless --slow is given.
const skipMs = 120_000;

/** Why a subject is not worth timing at a batch size, going by its milliseconds per image; undefined if it is. */
export function whySkipped(msPerImage: number | undefined, batch: number): string | undefined {
  const expected = (msPerImage ?? 0) * batch;
  return expected > skipMs
    ? `not timed: about ${Math.round(expected / 1000)} s a step, going by the case before; pass --slow to time it`
    : undefined;
}

const onlyOf = (names: readonly SubjectName[], { subjects }: CdStepOptions) => subjects.filter((subject) => names.includes(subject));

interface GradientCase {
  readonly network: BenchNetwork;
  readonly shapes: ParameterShapes;
  readonly batch: number;
  readonly threads: number;
  readonly step?: GradientTask['step'];
  /** Processes that work at once. */
  readonly chains?: number;
}

function gradientContestant(subject: SubjectName, options: GradientCase, python: string): Contestant {
  const { network, shapes: parameters, batch, threads, step = 'gradient', chains = 1 } = options;
  const task: GradientTask = { subject, network, parameters, batch, threads, step, ...langevinSettings };
  // Ours has both chains in one process.
  const together = chains > 1 && !subject.startsWith('torch-');
  const ours = together ? 'chains-subject.js' : 'gradient-subject.js';
  const command = commandOf(task, { torch: 'torch_gradients.py', ours }, python);
  const commands = Array.from({ length: together ? 1 : chains }, () => command);
  return { subject, commands, ...(subject.startsWith('tfjs:') ? { onceAbove: 5_000 } : {}) };
}

const gradientGoal = (threads: number) => (peer: string) =>
  peer === 'torch-compile' ? (threads === 1 ? 0.7 : 0.8) : peer === 'tfjs:wasm' ? 0.2 : peer === 'tfjs:cpu' ? undefined : 0.55;

/** The main network's loss and gradients, for each batch size and number of threads. */
function gradientCases(options: CdStepOptions): TimedCase[] {
  const network = mainNetwork(options.width);
  const shapes = parameterShapes(network);
  return options.batches.flatMap((batch) =>
    options.threads.map((threads): TimedCase => {
      const subjects = options.subjects.filter((subject) => takesPart(subject, threads, options));
      return {
        name: `batch ${batch}, ${threadsTitle(threads)}`,
        kind: 'gradients',
        batch,
        contestants: subjects.map((subject) => gradientContestant(subject, { network, shapes, batch, threads }, options.python)),
        goalOf: options.width === goalWidth ? gradientGoal(threads) : () => undefined,
      };
    }),
  );
}

/** Two chains at a time, one thread each: ours in two workers, the peer's in two processes. */
function chainCases(options: CdStepOptions): TimedCase[] {
  const network = mainNetwork(options.width);
  const shapes = parameterShapes(network);
  const batch = options.batches[0] ?? 10;
  return (['gradient', 'langevin'] as const).map((step) => ({
    name: `2 chains, ${step === 'gradient' ? 'gradients' : 'Langevin steps'}, batch ${batch}, 1 thread each`,
    kind: 'chains',
    batch,
    contestants: onlyOf(['onnx:cpu', 'onnx:cpu-precise', 'torch-eager'], options).map((subject) =>
      gradientContestant(subject, { network, shapes, batch, threads: 1, step, chains: 2 }, options.python),
    ),
    goalOf: () => (options.width === goalWidth ? 0.6 : undefined),
  }));
}

/** Settings of the outer step: those of the released code, with noise. */
export function cdStepTask(subject: string, network: BenchNetwork, batch: number, threads: number, steps: number): CdStepTask {
  return {
    subject,
    network,
    parameters: parameterShapes(network),
    batch,
    threads,
    steps,
    ...langevinSettings,
    sigma: 1e-3,
    learningRate: 10,
    momentum: 0.5,
    experts: 4,
    groups: DSA_STRATEGY.split('_'),
  };
}

/** The scripts of an outer step. */
export const cdStepScripts = { torch: 'torch_cd_step.py', ours: 'cd-step-subject.js' };

/** The whole outer step, with the most threads that were asked for. */
function outerStepCases(options: CdStepOptions): TimedCase[] {
  const threads = options.threads.at(-1) ?? 1;
  return options.ipc.map((ipc): TimedCase => {
    const task = (subject: string) => cdStepTask(subject, mainNetwork(options.width), 10 * ipc, threads, options.steps);
    return {
      name: `outer step, k = ${options.steps}, ${ipc} per class, ${threadsTitle(threads)}`,
      kind: 'outer-step',
      batch: 10 * ipc,
      contestants: onlyOf(['onnx:cpu', 'onnx:cpu-precise', 'torch-eager'], options).map((subject) => ({
        subject,
        commands: [commandOf(task(subject), cdStepScripts, options.python)],
      })),
      goalOf: () => (options.width === goalWidth ? 0.6 : undefined),
      ...(options.width === goalWidth && ipc === 50 ? { memoryGoal: 700 } : {}),
    };
  });
}

/** Other networks and image sizes, with the most threads that were asked for. */
function shapeCases(options: CdStepOptions): TimedCase[] {
  const threads = options.threads.at(-1) ?? 1;
  const batch = options.batches[0] ?? 10;
  return options.shapes.map((shape): TimedCase => {
    const network = shapeNetwork(shape, options.width);
    const shapes = parameterShapes(network);
    return {
      name: `${networkTitle(network)}, batch ${batch}, ${threadsTitle(threads)}`,
      kind: 'shapes',
      batch,
      contestants: onlyOf(['onnx:cpu', 'onnx:cpu-precise', 'js', 'torch-eager', 'torch-compile'], options).map((subject) =>
        gradientContestant(subject, { network, shapes, batch, threads }, options.python),
      ),
      goalOf: (peer) => (peer === 'torch-compile' && options.width === goalWidth ? 1 : undefined),
    };
  });
}

/** Every timed case that was asked for, in the order of the table. */
export function timedCases(options: CdStepOptions): TimedCase[] {
  const makers = { gradients: gradientCases, chains: chainCases, 'outer-step': outerStepCases, shapes: shapeCases, accuracy: () => [] };
  return options.cases.flatMap((name) => makers[name](options)).filter(({ contestants }) => contestants.length > 0);
}
