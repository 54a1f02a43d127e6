import '@tensorflow/tfjs-backend-cpu';
import { getDataset, initialCoreset, realBatches } from '@bpc/bench';
import { jsRuntime } from '@bpc/compiler';
import {
  type Coreset,
  crossEntropyEnergy,
  descentDraws,
  disposeTree,
  foldIn,
  key,
  learn,
  type Model,
  type Network,
  normal,
  sampled,
  sgd,
  supervised,
  type Tree,
} from '@bpc/core';
import { divergenceConformance } from '@bpc/core/testing';
import { mlp } from '@bpc/models';
import { ones, type Tensor1D } from '@tensorflow/tfjs-core';
import { slopes } from './exact.js';
import { trainExperts } from './experts.js';
import { predictiveMmd } from './predictive-mmd.js';
import { validationScorer } from './score.js';

const problems: string[] = [];

// The published suite, with any test runner's `it`; this one is enough to see it at work.
const small = mlp({ inputShape: [3], outputs: 2, hidden: [4] });
const tests: [name: string, body: () => void][] = [];
divergenceConformance({
  divergence: predictiveMmd({ draws: 4 }),
  input: () => ({
    model: supervised({ network: small, energy: crossEntropyEnergy() }),
    coreset: { x: normal(key(1), [2, 3]), y: ones([2, 2]), weights: ones([2]) as Tensor1D },
    learnable: { x: true, y: false, weights: false },
    expert: small.init(key(2)),
    start: small.init(key(3)),
    real: { x: normal(key(4), [5, 3]), y: ones([5, 2]) },
  }),
  it: (name, body) => tests.push([name, body]),
});
for (const [name, body] of tests) {
  try {
    body();
    console.log(`✓ ${name}`);
  } catch (error) {
    problems.push(name);
    console.log(`✗ ${name}\n  ${error instanceof Error ? error.message : String(error)}`);
  }
}

// A case whose posteriors are known, where the estimate must be the slope of the value.
const { estimated, expected } = slopes(60);
const show = ({ mean, error }: { readonly mean: number; readonly error: number }) => `${mean.toFixed(4)} ± ${error.toFixed(4)}`;
console.log(`\ngradient on a Gaussian: ${show(estimated)}; slope by differences: ${show(expected)}`);
if (Math.abs(estimated.mean - expected.mean) > 4 * Math.hypot(estimated.error, expected.error))
  problems.push('the gradient is not the slope');

// Ten images of digits, learned by it.
const dataset = await getDataset('digits');
const runtime = jsRuntime();
const network = mlp({ inputShape: dataset.shape, outputs: dataset.classes, hidden: [32] }) as Network<Tree>;
const model: Model<Tree> = supervised({ network, energy: crossEntropyEnergy() });
const experts = await trainExperts({ network, dataset, runtime, count: 4, key: key(100) });
const real = realBatches(dataset, { size: 128, labels: 'probabilities' });
const divergence = predictiveMmd({ posterior: descentDraws({ steps: 10, stepSize: 0.3, sigma: 0.05 }) });
const objective = sampled(divergence, { model, experts, real, expertEpochs: 1 });
const scorer = validationScorer(network, dataset, runtime);
// Rates and bandwidth were chosen with other seeds.
const seeds = [10, 11, 12];
const accuracies = { init: [] as number[], learned: [] as number[] };
for (const seed of seeds) {
  const start = initialCoreset(dataset, { init: 'mix', ipc: 1, seed, labels: 'probabilities' });
  const score = async (coreset: Coreset) => (await scorer.score(coreset, seed)).metrics['accuracy'] ?? Number.NaN;
  const options = { objective, coreset: start, optimizer: sgd({ learningRate: 30 }), runtime, steps: 100 };
  const learned = await learn({ ...options, key: foldIn(key(200), seed) }).collect();
  accuracies.init.push(await score(start));
  accuracies.learned.push(await score(learned));
  disposeTree([start, learned]);
}
await scorer.dispose();
const percent = (values: readonly number[]) => values.map((value) => (100 * value).toFixed(1)).join(', ');
console.log(`\ndigits, accuracy on validation images by seed, %: init ${percent(accuracies.init)}; learned ${percent(accuracies.learned)}`);
const gain = seeds.reduce((sum, _, i) => sum + (accuracies.learned[i] ?? 0) - (accuracies.init[i] ?? 0), 0);
if (!(gain > 0)) problems.push('learning did not improve on the start');

for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
