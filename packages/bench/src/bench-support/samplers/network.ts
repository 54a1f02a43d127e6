import type { CommandContext } from '../../cli/context.js';
import { networkTitle } from '../bench-network.js';
import { type BenchRatio, type BenchRow, ratiosOf } from '../bench-result.js';
import { mainNetwork } from '../cd-step/cases.js';
import { goalWidth } from '../cd-step/options.js';
import { type RaceOptions, race } from '../race.js';
import { networkCommand, networkWork } from './network-task.js';
import type { SamplerBenchOptions } from './options.js';

/** A whole coreset of ten images per class. */
const batch = 100;
/** A sampler's step over the bare gradient, noise included. */
const stepGoal = 1.15;

/** Ours over ours: each sampler's step over the gradient in it. */
export function networkRatios(rows: readonly BenchRow[], goal: number | undefined): BenchRatio[] {
  const bare = rows.filter(({ subject }) => subject === 'onnx:cpu gradient');
  return rows.filter((row) => !bare.includes(row)).flatMap((row) => ratiosOf([row, ...bare], row.subject, () => goal));
}

/** Steps of SGLD and SGHMC on a ConvNet against the gradient alone, for each number of threads. */
export async function networkCase(
  { rounds, secondsPerRound, threads, width }: SamplerBenchOptions,
  context: CommandContext,
  load: RaceOptions['load'],
): Promise<{ readonly rows: BenchRow[]; readonly ratios: BenchRatio[] }> {
  const network = mainNetwork(width);
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  for (const each of threads) {
    const name = `${networkTitle(network)}, ${batch} images, ${each === 1 ? '1 thread' : `${each} threads`}`;
    const contestants = networkWork.map((work) => ({
      subject: `onnx:cpu ${work}`,
      commands: [networkCommand({ work, network, batch, threads: each })],
    }));
    const timed = await race({ name, contestants, rounds, secondsPerRound, load }, context);
    rows.push(...timed);
    ratios.push(...networkRatios(timed, width === goalWidth ? stepGoal : undefined));
  }
  return { rows, ratios };
}
