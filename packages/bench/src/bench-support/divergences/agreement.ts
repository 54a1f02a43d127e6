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
  type Key,
  key,
  type SafetensorsEntry,
  treeEntries,
} from '@bpc/core';
import type { CommandContext } from '../../cli/context.js';
import { augmentationEntries, f32, i32 } from '../augmentation-entries.js';
import { type BenchNetwork, buildBenchNetwork, networkTitle } from '../bench-network.js';
import type { BenchRow } from '../bench-result.js';
import { mainNetwork } from '../cd-step/cases.js';
import { compareTensors } from '../cd-step/compare-tensors.js';
import { startSubject } from '../subject-process.js';
import { acceptDraw } from './estimate-of.js';
import { type DivergenceSettings, type MethodName, methods, settingsOf } from './methods.js';
import { type DivergenceBenchOptions, divergenceSubjects } from './options.js';
import { type DivergenceTask, divergenceCommand, divergenceTask } from './task.js';

type Tensors = ReadonlyMap<string, SafetensorsEntry>;

/** The js runtime computes in float64; only its outputs are rounded. */
const reference = 'js';
/**
 * Few units and points: what is compared is a formula, in every group of the augmentation. Up to 128 inputs of a layer both sides
 * take the symmetric root of a covariance; larger ones have other draws of the same law.
 */
const width = 4;
const batch = 4;
/**
 * Draws of images and augmentations. Of their errors the median counts: a unit at a kink of ReLU, which rounding decides, makes a
 * draw say nothing, and the difference of two phases shows it a hundredfold.
 */
const draws = 3;
/** More than float32 explains: a sign, a mean that should be a sum, a wrong scale are off by tenths. */
export const agreementGoal = 1e-3;

/**
 * Settings with which every part of an estimate counts: next to 50 000 images the sum over pseudo-points would vanish, and next
 * to a large prior precision the curvature of the likelihood.
 */
const agreementSettings = (method: MethodName): DivergenceSettings => ({ ...settingsOf(method, 'quick'), dataCount: 20, precision: 100 });

/** Parameters with gains and biases away from the 1 and 0 they start at, which would hide mistakes. */
function parameterEntries(network: BenchNetwork, own: Key, prefix: string): [string, SafetensorsEntry][] {
  const params = buildBenchNetwork(network).init(foldIn(own, 0));
  const entries = treeEntries(params).map(([path, leaf], i): [string, SafetensorsEntry] => {
    const moved = hostNormal(foldIn(foldIn(own, 1), i), leaf.size);
    const data = Float32Array.from(leaf.dataSync(), (value, j) => value + (leaf.rank === 1 ? 0.1 * (moved[j] ?? 0) : 0));
    return [`${prefix}/${path}`, f32(data, leaf.shape)];
  });
  disposeTree(params);
  return entries;
}

/** Everything that an estimate depends on, noise included. */
export function agreementInputs({ network, parameters, settings, groups, batch: count }: DivergenceTask): Record<string, SafetensorsEntry> {
  ensureHostBackend();
  const images = (own: Key, many: number) => {
    const shape = [many, ...network.inputShape];
    return f32(
      hostNormal(
        own,
        shape.reduce((a, b) => a * b),
      ),
      shape,
    );
  };
  const labels = (many: number) => i32(Int32Array.from({ length: many }, (_, i) => i % 10));
  const noise = (['expert', 'posterior', 'chain'] as const).flatMap((kind, k) =>
    Array.from({ length: Math.max(settings.draws, settings.innerSteps) }, (_, n) =>
      parameters.map(([path, shape], i): [string, SafetensorsEntry] => {
        const own = foldIn(foldIn(foldIn(key(11), k), n), i);
        return [
          `noise/${kind}/${n}/${path}`,
          f32(
            hostNormal(
              own,
              shape.reduce((a, b) => a * b, 1),
            ),
            shape,
          ),
        ];
      }),
    ).flat(),
  );
  const [height, wide] = network.inputShape;
  const augmentations = (own: Key, prefix: string) =>
    Object.entries(augmentationEntries(own, groups, count, height, wide)).map(([name, entry]) => [`${prefix}/${name}`, entry] as const);
  const real = Math.max(1, settings.realBatch);
  return {
    ...Object.fromEntries([...parameterEntries(network, key(7), 'expert'), ...parameterEntries(network, key(8), 'start'), ...noise]),
    ...Object.fromEntries(Array.from({ length: draws }, (_, d) => [`x${d}`, images(foldIn(key(9), d), count)])),
    labels: labels(count),
    weights: f32(
      Float32Array.from({ length: count }, (_, i) => 1 + 0.5 * i),
      [count],
    ),
    accept: f32(Float32Array.of(acceptDraw), []),
    'real/x': images(key(10), real),
    'real/labels': labels(real),
    ...Object.fromEntries(Array.from({ length: draws }, (_, d) => augmentations(foldIn(key(12), d), `draw${d}`)).flat()),
  };
}

/** What a side found, group by group; or why there is nothing. */
async function evaluate(
  task: DivergenceTask,
  folder: string,
  python: string,
  signal: AbortSignal,
): Promise<Tensors | { readonly absent: string }> {
  const files = { inputs: join(folder, 'inputs.safetensors'), outputs: join(folder, 'outputs.safetensors') };
  const started = await startSubject(divergenceCommand({ ...task, evaluate: files }, python), signal);
  if ('absent' in started) return started;
  started.stop();
  return decodeSafetensors(await readFile(files.outputs)).tensors;
}

/** Per group of the augmentation the median of the draws' worst tensors; of these the worst group. */
export function errorOf(exact: Tensors, found: Tensors): Omit<BenchRow, 'case' | 'subject'> {
  const groups = [...new Set([...exact.keys()].map((name) => name.split('/')[0] ?? ''))];
  const errors = groups.map((group) => {
    const own = Array.from({ length: draws }, (_, d) => {
      const only = (tensors: Tensors) => new Map([...tensors].filter(([name]) => name.startsWith(`${group}/${d}/`)));
      return compareTensors(only(exact), only(found));
    }).sort((a, b) => a.worst - b.worst);
    // NaN sorts anywhere: one is enough to spoil a group.
    const spoilt = own.find(({ worst }) => Number.isNaN(worst));
    return { own, middle: spoilt ?? own[own.length >> 1] };
  });
  const worst = errors.reduce((a, b) => ((a.middle?.worst ?? 0) >= (b.middle?.worst ?? 0) || Number.isNaN(a.middle?.worst) ? a : b));
  return {
    unit: 'relative error',
    median: worst.middle?.worst ?? Number.NaN,
    min: worst.own[0]?.worst ?? Number.NaN,
    max: worst.own.at(-1)?.worst ?? Number.NaN,
    repeats: draws,
    reason: `worst: ${worst.middle?.where}`,
  };
}

/** Whether both sides compute the same estimate, on the same parameters, images and noise: their errors against float64. */
export async function agreement(
  method: MethodName,
  { python, threads }: Pick<DivergenceBenchOptions, 'python' | 'threads'>,
  groups: readonly string[],
  context: CommandContext,
): Promise<BenchRow[]> {
  const network = mainNetwork(width);
  const settings = agreementSettings(method);
  const taskOf = (subject: string) => divergenceTask({ subject, method, network, batch, threads, settings, groups });
  const name = `${method}, the same estimate on given noise, ${networkTitle(network)}, ${batch} points, ${methods[method].describe(settings)}`;
  const folder = await mkdtemp(join(tmpdir(), 'bpc-bench-'));
  const phase = context.reporter.phase(name, 1 + divergenceSubjects.length);
  try {
    await writeFile(join(folder, 'inputs.safetensors'), encodeSafetensors(agreementInputs(taskOf(reference)), {}));
    const exact = await evaluate(taskOf(reference), folder, python, context.signal);
    if (context.signal.aborted) throw new InterruptedError(`stopped in ${name}`, 0, 'start the same command again');
    if ('absent' in exact) throw new Error(`the js runtime failed at ${method}: ${exact.absent}`);
    const rows: BenchRow[] = [];
    for (const [i, subject] of divergenceSubjects.entries()) {
      phase.update(i + 1);
      const found = await evaluate(taskOf(subject), folder, python, context.signal);
      if (context.signal.aborted) throw new InterruptedError(`stopped in ${name}`, 0, 'start the same command again');
      if ('absent' in found) {
        rows.push({ case: name, subject, unit: 'relative error', absent: true, reason: found.absent });
        continue;
      }
      rows.push({ case: name, subject, ...errorOf(exact, found) });
    }
    return rows;
  } finally {
    phase.finish();
    await rm(folder, { recursive: true, force: true });
  }
}
