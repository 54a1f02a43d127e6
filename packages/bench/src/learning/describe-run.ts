import type { RunConfig } from '../config/index.js';
import type { Dataset } from '../data/dataset.js';
import { networkTitle } from '../experts/network.js';
import { evaluationPasses, fullPasses, learningPasses } from './job-cost.js';

// Measured on two cores of a cloud machine with ONNX Runtime: microseconds of one thread per forward pass of one image and
// per million multiplications of its network, and what a pass costs at least. Half of it or twice as much is possible.
const microsecondsPerMillion = 30;
const leastMicroseconds = 15;

/** Multiplications of one forward pass, up to the small layers. */
function multiplications({ network, width, depth }: RunConfig, [height, columns, channels]: Dataset['shape']): number {
  if (network === 'mlp') return width * (height * columns * channels + (depth - 1) * width);
  let total = 0;
  for (let block = 0, area = height * columns; block < depth; block++, area /= 4)
    total += 9 * (block === 0 ? channels : width) * width * area;
  return total;
}

/** About how many seconds a run takes on ONNX Runtime, to a factor of two. */
export function roughSeconds(config: RunConfig, { shape, classes, ...splits }: Dataset): number {
  const { train, validation } = splits;
  const points = config.ipc * classes;
  const scored = splits[config.scoreOn].count;
  const images = Math.min(config.expertImages, train.count);
  const seed =
    learningPasses(config, points) +
    fullPasses(config.full, train.count, scored) +
    3 * evaluationPasses(config.evaluation, points, scored) +
    5 * evaluationPasses({ ...config.evaluation, chains: 1 }, points, validation.count);
  const passes = config.experts * 3 * config.expertEpochs * images + config.seeds * seed;
  const each = Math.max(leastMicroseconds, (microsecondsPerMillion * multiplications(config, shape)) / 1e6);
  return (passes * each) / 1e6 / Math.max(1, config.workers);
}

/** What a run is about to do, for somebody who sees it for the first time. */
export function describeRun(config: RunConfig, dataset: Dataset, folder: string): string[] {
  const { ipc, seeds, experts, steps, workers } = config;
  const images = `${ipc} ${ipc === 1 ? 'image' : 'images'} per class`;
  const coresets = seeds === 1 ? 'a coreset' : `${seeds} coresets (one per seed)`;
  return [
    `Learning ${coresets} of ${images} from ${dataset.name} (${dataset.train.count} training images) with ${networkTitle(config)}:`,
    `  1. train ${experts} ${experts === 1 ? 'expert' : 'experts'} on real images   2. learn for ${steps} steps   3. score against controls and the full data`,
    `  ${workers === 0 ? 'in one thread' : `on ${workers} ${workers === 1 ? 'thread' : 'threads'}`}, into ${folder}; Ctrl-C saves, and the same command continues.`,
  ];
}
