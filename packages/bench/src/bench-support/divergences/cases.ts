import { DSA_STRATEGY } from '@bpc/core';
import { networkTitle } from '../bench-network.js';
import type { BenchRatio, BenchRow } from '../bench-result.js';
import { mainNetwork } from '../cd-step/cases.js';
import type { RaceOptions } from '../race.js';
import { type MethodName, methods, settingsOf } from './methods.js';
import { type DivergenceBenchOptions, divergenceSubjects, goalWidth } from './options.js';
import { divergenceCommand, divergenceTask } from './task.js';

/** Groups of the augmentation that methods draw from. */
export const augmentationGroups = DSA_STRATEGY.split('_');

/** One race, and what its figures should not exceed. */
export interface DivergenceCase extends Pick<RaceOptions, 'name' | 'contestants' | 'rounds' | 'secondsPerRound'> {
  readonly method: MethodName;
  goalOf(peer: string): number | undefined;
  /** Most memory that our process should take, in MB. */
  readonly memoryGoal?: number;
}

/** Ours over PyTorch's that contrastive divergence is held to, and the memory of its largest coreset. */
const cdGoal = 0.7;
const cdMemoryGoal = 1000;

/** An outer step of one method with so many images per class; `differing` names the sides that compute something else. */
export function divergenceCase(
  method: MethodName,
  ipc: number,
  options: DivergenceBenchOptions,
  differing: ReadonlyMap<string, string> = new Map(),
): DivergenceCase {
  const { threads, width, counts, python, repeats: rounds, secondsPerRound } = options;
  const network = mainNetwork(width);
  const settings = settingsOf(method, counts);
  const { describe } = methods[method];
  const held = width === goalWidth && method === 'bpc-cd';
  return {
    method,
    name: `${method}, ${ipc} per class, ${describe(settings)}, ${networkTitle(network)}, ${threads === 1 ? '1 thread' : `${threads} threads`}`,
    contestants: divergenceSubjects.map((subject) => ({
      subject,
      commands: [
        divergenceCommand(
          divergenceTask({ subject, method, network, batch: 10 * ipc, threads, settings, groups: augmentationGroups }),
          python,
        ),
      ],
      skip: differing.get(subject),
      onceAbove: 30_000,
    })),
    rounds,
    secondsPerRound,
    goalOf: () => (held ? cdGoal : undefined),
    ...(held && ipc === 50 ? { memoryGoal: cdMemoryGoal } : {}),
  };
}

/** Why sides are not timed: what they compute is not what float64 computes. */
export function differingSides(rows: readonly BenchRow[], goal: number): Map<string, string> {
  return new Map(
    rows.flatMap(({ subject, median, reason }) =>
      // Written so that NaN differs.
      median === undefined || median <= goal
        ? []
        : [[subject, `not timed: it computes something else (${median.toExponential(1)}, ${reason})`]],
    ),
  );
}

/** Ours over its goal of memory, where there is one. */
export function memoryRatios(rows: readonly BenchRow[], { name, memoryGoal }: DivergenceCase): BenchRatio[] {
  const [ours] = divergenceSubjects;
  const peak = rows.find(({ subject }) => subject === ours)?.peakRssMb;
  return peak === undefined || memoryGoal === undefined ? [] : [{ name: `${ours}, peak MB, ${name}`, value: peak, goal: memoryGoal }];
}
