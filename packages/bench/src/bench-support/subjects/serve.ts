import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { decodeSafetensors, encodeSafetensors, type SafetensorsEntry, type Tree, treeEntries, treeUnflatten } from '@bpc/core';
import { tensor } from '@tensorflow/tfjs-core';
import { peakRssMb } from '../../runtime-choice/environment.js';
import type { EvaluationFiles } from '../task.js';

/** One line of JSON to whoever started this process. */
export const say = (answer: object): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);

/** Runs a subject's main function; what it throws is why the subject is absent. */
export function runSubject(main: (task: unknown) => Promise<void>): void {
  const [argument = ''] = process.argv.slice(2);
  Promise.resolve()
    .then(() => main(JSON.parse(argument)))
    .catch((error: unknown) => {
      say({ failed: error instanceof Error ? error.message : String(error) });
      process.exitCode = 1;
    });
}

/** Milliseconds of one call. */
export async function milliseconds(step: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await step();
  return performance.now() - begun;
}

/** Answers counts with what `work` measured, until standard input ends. */
export async function answerCounts(work: (count: number) => Promise<readonly number[]>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const before = process.cpuUsage();
    const begun = performance.now();
    const ms = await work(Number(line));
    const { user, system } = process.cpuUsage(before);
    say({ ms, cpuMs: (user + system) / 1000, wallMs: performance.now() - begun, peakRssMb: peakRssMb() });
  }
}

/** Warms up, then answers counts with milliseconds until standard input ends. */
export async function serve(step: () => Promise<number>, version: string | undefined): Promise<void> {
  // The first call compiles and two more warm up, unless the subject is so slow that neither shows: then it counts.
  const first = await step();
  const measured = first < 20_000 ? [] : [first];
  if (measured.length === 0) for (let i = 0; i < 2; i++) await step();
  say({ ready: true, version });
  await answerCounts(async (count) => {
    const ms: number[] = [];
    for (let i = 0; i < count; i++) ms.push(measured.pop() ?? (await step()));
    return ms;
  });
}

/** Does what each line of standard input asks for. Nothing is warmed up: what the first answer compiles is part of it. */
export async function answerRequests(work: (request: unknown) => Promise<unknown>, version: string | undefined): Promise<void> {
  say({ ready: true, version });
  for await (const line of createInterface({ input: process.stdin })) say({ result: await work(JSON.parse(line)) });
}

type Entries = ReadonlyMap<string, SafetensorsEntry>;

/** Tensors of an evaluation's input file. */
export const readInputs = ({ inputs }: EvaluationFiles): Entries => decodeSafetensors(readFileSync(inputs)).tensors;

/** The batches of images in a file, by name: `x0`, `x1`, … */
export const drawsOf = (entries: Entries): string[] => [...entries.keys()].filter((name) => /^x\d+$/.test(name));

/** One tensor of a file, on the current tfjs backend. */
export function tensorOf(entries: Entries, name: string) {
  const entry = entries.get(name);
  if (entry === undefined) throw new Error(`the input file has no '${name}'`);
  return tensor(entry.data, [...entry.shape], entry.dtype === 'I32' ? 'int32' : 'float32');
}

/** The tensors below `prefix/` in the structure of another tree. */
export function treeOf<T extends Tree>(entries: Entries, prefix: string, like: T): T {
  return treeUnflatten(
    like,
    treeEntries(like).map(([path]) => tensorOf(entries, `${prefix}/${path}`)),
  );
}

/** Writes every tensor of a tree by its path. */
export async function writeOutputs({ outputs }: EvaluationFiles, tree: Tree): Promise<void> {
  const entries = await Promise.all(
    treeEntries(tree).map(async ([path, leaf]) => {
      const data = Float32Array.from(await leaf.data());
      return [path, { dtype: 'F32', shape: leaf.shape, data } satisfies SafetensorsEntry] as const;
    }),
  );
  writeFileSync(outputs, encodeSafetensors(Object.fromEntries(entries), {}));
}
