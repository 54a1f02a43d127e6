import type { Coreset, DivergenceInput, Runtime, Tree } from '@bpc/core';
import { contrastiveEstimate, crossEntropyEnergy, disposeTree, supervised } from '@bpc/core';
import { convNet } from '@bpc/models';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ConvNetSpec, loadFixture } from '../../../tooling/fixtures/load.js';
import { testBackend } from './support/backend.js';
import { stacked } from './support/chain-noise.js';
import { runtimes } from './support/runtimes.js';

type Case = { reduction: 'mean' | 'sum'; temperature: number; stepSize: number; steps: number; sigma: number };
const fixture = loadFixture<Case>('bpc_cd');
const spec = fixture.cases['network'] as unknown as ConvNetSpec;
const cases = Object.entries(fixture.cases).filter(([name]) => name !== 'network' && name !== 'all');

beforeAll(async () => {
  await setBackend(testBackend);
});

const network = convNet({
  inputShape: [spec.inSize, spec.inSize, spec.inChannels],
  outputs: spec.classes,
  depth: spec.depth,
  width: spec.width,
  pool: spec.pool,
  epsilon: spec.normEps,
  firstPadding: spec.firstPad,
});
const learnable = { x: true, y: true, weights: true };

function estimate(options: Case, targets: 'probabilities' | 'logits') {
  const model = supervised({ network, energy: crossEntropyEnergy({ targets }) });
  return (expert: Tree, coreset: Coreset, epsilon: Tree, etas: Tree) => {
    const input: DivergenceInput<never> = { model: model as never, coreset, learnable, expert: expert as never };
    return contrastiveEstimate(
      input,
      { expert: epsilon as never, chain: stacked(etas as readonly Tree[]) as never },
      options,
    ) as unknown as Tree;
  };
}

describe.each(runtimes)('contrastive divergence on %s', (_, makeRuntime: () => Runtime | Promise<Runtime>) => {
  it.each(cases)('matches every stored quantity of %s, and not the gradient through the chain', async (name, options) => {
    const runtime = await makeRuntime();
    const parameters = fixture.tree('param');
    const etas = Object.values(fixture.tree('eta'));
    const base = { x: fixture.tensor('images'), weights: fixture.tensor('weights') as Tensor1D };
    const run = async (targets: 'probabilities' | 'logits', y: Tensor) => {
      const program = runtime.compile(estimate(options, targets));
      const found = await program(parameters as Tree, { ...base, y }, fixture.tree('eps') as Tree, etas as Tree);
      await program.dispose();
      return found as unknown as {
        grad: { x: Tensor; y: Tensor; weights: Tensor };
        value: Tensor;
        energyPlus: Tensor;
        energyMinus: Tensor;
        negative: Tree;
        chainEnergies: Tensor;
      };
    };
    const found = await run('probabilities', fixture.tensor('labels'));
    const withLogits = await run('logits', fixture.tensor('label_logits'));
    const compared: Record<string, Tensor> = {
      energy_plus: found.energyPlus,
      energy_minus: found.energyMinus,
      loss: found.value,
      chain_energies: found.chainEnergies,
      grad_images: found.grad.x,
      grad_labels: found.grad.y,
      grad_weights: found.grad.weights,
      grad_label_logits: withLogits.grad.y,
      control_grad_images_through_chain: found.grad.x,
    };
    for (const entry of fixture.names(`${name}/`)) {
      const key = entry.slice(name.length + 1);
      if (key.startsWith('theta_minus/')) continue;
      const tensor = compared[key];
      if (tensor === undefined) throw new Error(`nothing is compared with '${entry}'`);
      fixture.expectClose(entry, tensor);
    }
    if (fixture.names(`${name}/theta_minus/`).length > 0) fixture.expectTreeClose(`${name}/theta_minus`, found.negative);
    expect(fixture.names(`${name}/`).length).toBeGreaterThanOrEqual(8);
    disposeTree(found as unknown as Tree);
    await runtime.dispose();
  });
});
