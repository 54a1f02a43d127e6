import '@tensorflow/tfjs-backend-cpu';
import { disposeTree, eagerRuntime, installGradients, key, treeLeaves } from '@bpc/core';
import { memory, setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { getDataset } from '../src/data/get-dataset.js';
import { batchPieces } from '../src/experts/batches.js';
import { buildNetwork, type NetworkSpec } from '../src/experts/network.js';
import { trainingProgram } from '../src/experts/training-program.js';
import { imagesPerRun, pieceSize } from '../src/experts/working-set.js';

beforeAll(async () => {
  installGradients();
  await setBackend('cpu');
});

const { train, normalisation, shape, classes } = await getDataset('digits');
const spec: NetworkSpec = { network: 'mlp', width: 6, depth: 1, inputShape: shape, classes };

describe('trainingProgram', () => {
  it('takes the same step on a batch in pieces as on the whole batch, and leaks no tensor', async () => {
    const network = buildNetwork(spec);
    const settings = { learningRate: 0.3, momentum: 0.9, weightDecay: 0.01, decay: 'cosine' } as const;
    const program = trainingProgram({ network, runtime: eagerRuntime(), settings, totalSteps: 3 });
    const { numTensors } = memory();
    const run = async (limit: number) => {
      let params = network.init(key(1));
      let state = program.initState(params);
      const losses: number[] = [];
      for (let step = 0; step < 3; step++) {
        const indices = Int32Array.from({ length: 12 }, (_, i) => step * 12 + i);
        const pieces = batchPieces(train, indices, { normalisation, classes, piece: limit });
        expect(pieces.length).toBe(Math.ceil(12 / limit));
        const next = await program.step(params, state, pieces);
        losses.push((await next.loss.data())[0] ?? Number.NaN);
        disposeTree([params, state, next.loss]);
        for (const piece of pieces) disposeTree(piece);
        ({ params, state } = next);
      }
      const values = (await Promise.all(treeLeaves(params).map((leaf) => leaf.data()))).flatMap((data) => [...data]);
      disposeTree([params, state]);
      return { losses, values };
    };
    const [whole, cut] = [await run(12), await run(4)];
    cut.losses.forEach((loss, i) => expect(loss).toBeCloseTo(whole.losses[i] ?? Number.NaN, 5));
    cut.values.forEach((value, i) => expect(value).toBeCloseTo(whole.values[i] ?? Number.NaN, 5));
    expect(whole.losses[2]).not.toBeCloseTo(whole.losses[0] ?? 0, 3);
    expect(memory().numTensors).toBe(numTensors);
  });

  it('steps by −η∇ of the mean cross-entropy: one bias in closed form', async () => {
    const network = buildNetwork({ ...spec, depth: 1 });
    const program = trainingProgram({
      network,
      runtime: eagerRuntime(),
      settings: { learningRate: 0.5, momentum: 0, weightDecay: 0, decay: 'constant' },
      totalSteps: 1,
    });
    const params = network.init(key(2));
    const pieces = batchPieces(train, Int32Array.of(0, 1, 2), { normalisation, classes, piece: 3 });
    const [piece] = pieces;
    if (piece === undefined) throw new Error('no batch');
    const logits = Array.from(await network.apply(params, piece.x).data());
    const labels = [0, 1, 2].map((i) => train.labels[i]);
    const expected = Array.from({ length: classes }, (_, c) => {
      const residuals = labels.map((label, m) => {
        const row = logits.slice(m * classes, (m + 1) * classes);
        return Math.exp(row[c] ?? 0) / row.reduce((sum, z) => sum + Math.exp(z), 0) - (label === c ? 1 : 0);
      });
      return -0.5 * (residuals.reduce((a, b) => a + b, 0) / 3);
    });
    const next = await program.step(params, program.initState(params), pieces);
    // Leaves are in canonical order: dense/bias comes first.
    const [before, after] = [treeLeaves(params)[0]?.dataSync() ?? [], treeLeaves(next.params)[0]?.dataSync() ?? []];
    expect(after.length).toBe(classes);
    expected.forEach((change, c) => expect((after[c] ?? 0) - (before[c] ?? 0)).toBeCloseTo(change, 5));
  });
});

describe('pieceSize', () => {
  it('divides the batch and stays within the limit', () => {
    for (const batch of [1, 7, 10, 64, 100, 250, 256]) {
      for (const limit of [1, 3, 16, 300]) {
        const size = pieceSize(batch, limit);
        expect(batch % size).toBe(0);
        expect(size).toBeLessThanOrEqual(Math.max(1, Math.min(batch, limit)));
      }
    }
    expect(pieceSize(256, 20)).toBe(16);
    expect(pieceSize(100, 20)).toBe(20);
  });
});

describe('imagesPerRun', () => {
  it('shrinks with the width of a network, and is at least one', () => {
    const at = (width: number) => imagesPerRun({ network: 'convnet', depth: 3, width, inputShape: [28, 28, 1], classes: 10 });
    expect(at(32)).toBeGreaterThan(at(128));
    expect(at(1 << 20)).toBe(1);
  });
});
