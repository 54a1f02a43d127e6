import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeSafetensors,
  disposeTree,
  encodeSafetensors,
  ensureHostBackend,
  foldIn,
  hostNormal,
  InterruptedError,
  key,
  type SafetensorsEntry,
  treeEntries,
} from '@bpc/core';
import type { CommandContext } from '../../cli/context.js';
import { augmentationEntries, f32, i32 } from '../augmentation-entries.js';
import { type BenchNetwork, buildBenchNetwork, networkTitle, parameterShapes } from '../bench-network.js';
import { type BenchRatio, type BenchRow, median } from '../bench-result.js';
import { startSubject } from '../subject-process.js';
import { type CdStepTask, commandOf, type EvaluationFiles, type GradientTask } from '../task.js';
import { cdStepScripts, cdStepTask, langevinSettings, mainNetwork, shapeNetwork } from './cases.js';
import { compareTensors } from './compare-tensors.js';
import { type CdStepOptions, preciseSubject, type SubjectName } from './options.js';

/** What the error of our gradients of a ConvNet should not exceed, per tensor. */
const goal = 1e-5;
/**
 * Batches that gradients are compared on. The more units, the likelier one is so near a kink of ReLU that rounding decides
 * its gradient, in any float32; and of the large networks few, since float64 takes its time.
 */
const drawsOf = ({ kind, inputShape }: BenchNetwork) =>
  kind === 'convnet' ? { count: 5, batch: inputShape[0] <= 32 ? 10 : 2 } : { count: 3, batch: 2 };
/** The js runtime computes in float64; only its outputs are rounded. */
const reference = 'js';

/** One function that every subject computes on the same numbers. */
interface Comparison {
  readonly name: string;
  readonly subjects: readonly SubjectName[];
  readonly goal: number | undefined;
  readonly inputs: Readonly<Record<string, SafetensorsEntry>>;
  taskOf(subject: string): GradientTask | CdStepTask;
  readonly scripts: { readonly torch: string; readonly ours: string };
}

/** Parameters, images (`x0`, `x1`, …) and labels. */
function commonInputs(network: BenchNetwork, batch: number, count: number): Record<string, SafetensorsEntry> {
  ensureHostBackend();
  const params = buildBenchNetwork(network).init(key(7));
  const entries = treeEntries(params).map(([path, leaf]) => {
    // Gains and biases away from the 1 and 0 they start at, which would hide mistakes.
    const moved = hostNormal(foldIn(key(8), path.length * 1000 + leaf.size), leaf.size);
    const data = Float32Array.from(leaf.dataSync(), (value, i) => value + (leaf.rank === 1 ? 0.1 * (moved[i] ?? 0) : 0));
    return [`params/${path}`, f32(data, leaf.shape)] as const;
  });
  disposeTree(params);
  const { inputShape } = network;
  const pixels = inputShape.reduce((a, b) => a * b, batch);
  return {
    ...Object.fromEntries(entries),
    ...Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`x${i}`, f32(hostNormal(foldIn(key(9), i), pixels), [batch, ...inputShape])]),
    ),
    labels: i32(Int32Array.from({ length: batch }, (_, i) => i % 10)),
  };
}

function gradientComparison(network: BenchNetwork, { subjects, threads }: CdStepOptions): Comparison {
  const { count, batch } = drawsOf(network);
  const parameters = parameterShapes(network);
  const both = subjects.flatMap((subject): SubjectName[] => (subject === 'onnx:cpu' ? [subject, preciseSubject] : [subject]));
  const known = [...new Set(both)].filter((subject) => subject !== 'tfjs:cpu' && (subject !== 'jax' || network.kind === 'convnet'));
  return {
    name: `accuracy, ${networkTitle(network)}, batch ${batch}`,
    subjects: known.filter((subject) => subject !== 'tfjs:wasm' || network.kind === 'convnet'),
    // Of the others, every batch has units at kinks.
    goal: network.kind === 'convnet' ? goal : undefined,
    inputs: commonInputs(network, batch, count),
    scripts: { torch: 'torch_gradients.py', ours: 'gradient-subject.js' },
    taskOf: (subject) => ({ subject, network, parameters, batch, threads: threads.at(-1) ?? 1, step: 'gradient', ...langevinSettings }),
  };
}

/** A short chain: its end differs by rounding that every step multiplies, so there is no goal, only agreement to look at. */
function cdStepComparison({ subjects, threads, width }: CdStepOptions): Comparison {
  const batch = 2;
  const network = mainNetwork(width);
  const task = (subject: string) => cdStepTask(subject, network, batch, threads.at(-1) ?? 1, 3);
  return {
    name: `accuracy, outer step without noise, k = 3, batch ${batch}`,
    subjects: subjects.filter((subject) => subject === 'onnx:cpu' || subject === 'torch-eager'),
    goal: undefined,
    inputs: { ...commonInputs(network, batch, 1), ...augmentationEntries(key(10), task(reference).groups, batch, 32, 32) },
    scripts: cdStepScripts,
    taskOf: task,
  };
}

type Tensors = ReadonlyMap<string, SafetensorsEntry>;

async function evaluate(
  { taskOf, scripts }: Comparison,
  subject: string,
  files: EvaluationFiles,
  python: string,
  signal: AbortSignal,
): Promise<Tensors | { readonly absent: string }> {
  const started = await startSubject(commandOf({ ...taskOf(subject), evaluate: files }, scripts, python), signal);
  if ('absent' in started) return started;
  started.stop();
  return decodeSafetensors(await readFile(files.outputs)).tensors;
}

/** The worst tensor of each draw; of those the median, since one unit at a kink makes a draw say nothing about rounding. */
function errorRow(name: string, subject: string, exact: Tensors, found: Tensors): BenchRow {
  const groups = [...new Set([...exact.keys()].map((path) => path.split('/')[0] ?? ''))];
  const errors = groups.map((group) => {
    const only = (tensors: Tensors) => new Map([...tensors].filter(([path]) => path.startsWith(`${group}/`)));
    return compareTensors(only(exact), only(found));
  });
  const sorted = [...errors].sort((a, b) => a.worst - b.worst);
  const zero = errors.map((error) => error.zero).filter((value) => value !== undefined);
  const largest = sorted.at(-1);
  const reason = `worst: ${largest?.where}${zero.length === 0 ? '' : `; exact zeros: ${Math.max(...zero).toExponential(1)} of the whole`}`;
  const worst = sorted.map((error) => error.worst);
  return {
    case: name,
    subject,
    unit: 'relative error',
    median: median(worst),
    min: worst[0] ?? Number.NaN,
    max: worst.at(-1) ?? Number.NaN,
    repeats: errors.length,
    reason,
  };
}

async function compare(comparison: Comparison, folder: string, python: string, context: CommandContext): Promise<BenchRow[]> {
  const { name, subjects, inputs } = comparison;
  const phase = context.reporter.phase(name, subjects.length + 1);
  const files = { inputs: join(folder, 'inputs.safetensors'), outputs: join(folder, 'outputs.safetensors') };
  await writeFile(files.inputs, encodeSafetensors(inputs, {}));
  try {
    const exact = await evaluate(comparison, reference, files, python, context.signal);
    if ('absent' in exact) throw new Error(`the js runtime failed: ${exact.absent}`);
    phase.update(1);
    const rows: BenchRow[] = [];
    for (const [i, subject] of subjects.filter((each) => each !== reference).entries()) {
      const found = await evaluate(comparison, subject, files, python, context.signal);
      if (context.signal.aborted) throw new InterruptedError(`stopped in ${name}`, 0, 'start the same command again');
      phase.update(i + 2);
      if ('absent' in found) {
        rows.push({ case: name, subject, unit: 'relative error', absent: true, reason: found.absent });
        continue;
      }
      rows.push(errorRow(name, subject, exact, found));
    }
    return rows;
  } finally {
    phase.finish();
  }
}

/**
 * How far each subject's gradients are from float64, on the same parameters and images: the worst tensor of each. It is
 * also the check that every peer computes the same function.
 */
export async function accuracy(
  options: CdStepOptions,
  context: CommandContext,
): Promise<{ readonly rows: BenchRow[]; readonly ratios: BenchRatio[] }> {
  const networks = [mainNetwork(options.width), ...options.shapes.map((shape) => shapeNetwork(shape, options.width))];
  const comparisons = [...networks.map((network) => gradientComparison(network, options)), cdStepComparison(options)];
  const folder = await mkdtemp(join(tmpdir(), 'bpc-bench-'));
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  try {
    for (const comparison of comparisons) {
      const found = await compare(comparison, folder, options.python, context);
      rows.push(...found);
      const worst = found.find(({ subject }) => subject === 'onnx:cpu')?.median;
      if (worst !== undefined && comparison.goal !== undefined)
        ratios.push({ name: `onnx:cpu, ${comparison.name}`, value: worst, goal: comparison.goal });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { rows, ratios };
}
