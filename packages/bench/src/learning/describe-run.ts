import { originText, presetOrigin, type RunConfig } from '../config/index.js';
import type { Dataset } from '../data/dataset.js';
import { networkTitle } from '../experts/network.js';
import { methodTraits } from '../methods/traits.js';
import { evaluationPasses, expertPasses, fullPasses, learningPasses } from './job-cost.js';
import { passSeconds } from './pass-seconds.js';

/** About how many seconds a run takes on ONNX Runtime, to a factor of two. */
export function roughSeconds(config: RunConfig, { shape, classes, ...splits }: Dataset): number {
  const { train, validation } = splits;
  const points = config.ipc * classes;
  const scored = splits[config.scoreOn].count;
  const seed =
    learningPasses(config, points) +
    fullPasses(config.full, train.count, scored) +
    3 * evaluationPasses(config.evaluation, points, scored) +
    5 * evaluationPasses({ ...config.evaluation, chains: 1 }, points, validation.count);
  const passes = config.experts * expertPasses(config, train.count) + config.seeds * seed;
  return (passes * passSeconds(config, shape)) / Math.max(1, config.workers);
}

/** What a run is about to do, for somebody who sees it for the first time. */
export function describeRun(config: RunConfig, dataset: Dataset, folder: string): string[] {
  const { ipc, seeds, experts, steps, workers, method, preset } = config;
  const { title, about } = methodTraits[method];
  const images = `${ipc} ${ipc === 1 ? 'image' : 'images'} per class`;
  const coresets = seeds === 1 ? 'a coreset' : `${seeds} coresets (one per seed)`;
  return [
    `Learning ${coresets} of ${images} from ${dataset.name} (${dataset.train.count} training images) with ${networkTitle(config)}:`,
    `  by ${title} (${about}), from preset ${preset} (${originText[presetOrigin(preset, config.dataset, ipc)]})`,
    `  1. train ${experts} ${experts === 1 ? 'expert' : 'experts'} on real images   2. learn for ${steps} steps   3. score against controls and the full data`,
    `  ${workers === 0 ? 'in one thread' : `on ${workers} ${workers === 1 ? 'thread' : 'threads'}`}, into ${folder}; Ctrl-C saves, and the same command continues.`,
  ];
}
