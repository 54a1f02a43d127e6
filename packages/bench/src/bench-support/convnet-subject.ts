/**
 * One side of `bpc bench cd-step` in a process of its own: idle threads of one engine would otherwise steal a core from
 * the next. Arguments: runtime, batch, threads, width. Reads counts, answers with milliseconds, one line each.
 */
import { createInterface } from 'node:readline';
import { crossEntropy, disposeTree, ensureHostBackend, key, normal, type Tree, valueAndGrad } from '@bpc/core';
import { mean, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { oneHot } from '../experts/batches.js';
import { buildNetwork } from '../experts/network.js';
import { peakRssMb } from '../runtime-choice/environment.js';
import { openRuntime, packageOf } from '../runtime-choice/open-runtime.js';
import { packageVersion } from '../runtime-choice/optional-package.js';
import { parseRuntimeName } from '../runtime-choice/runtime-name.js';

const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`);

async function main([runtimeName = '', batch = '', threads = '', width = '']: readonly string[]): Promise<void> {
  const name = parseRuntimeName(runtimeName);
  if (name.family !== 'tfjs') ensureHostBackend();
  const runtime = await openRuntime({ name, threads: Number(threads) });
  const network = buildNetwork({ network: 'convnet', inputShape: [32, 32, 3], classes: 10, depth: 3, width: Number(width) });
  const params = network.init(key(0));
  const x = normal(key(1), [Number(batch), 32, 32, 3]);
  const labels = Array.from({ length: Number(batch) }, (_, i) => i % 10);
  const y = tensor(oneHot(labels, 10), [labels.length, 10]);
  const gradients = runtime.compile((p: Tree, images: Tensor, targets: Tensor): Tree => {
    const { value, grad } = valueAndGrad((q: Tree) => mean(crossEntropy(network.apply(q, images), targets)))(p);
    return { value, grad };
  });
  const step = async () => {
    const begun = performance.now();
    disposeTree(await gradients(params, x, y));
    return performance.now() - begun;
  };
  // The first call compiles and a second one warms up, unless the subject is so slow that neither shows: then it counts.
  const first = await step();
  const measured = first < 20_000 ? [] : [first];
  if (measured.length === 0) await step();
  say({ ready: true, version: packageVersion(packageOf(name) ?? '@bpc/compiler') });
  for await (const line of createInterface({ input: process.stdin })) {
    const ms: number[] = [];
    for (let i = 0; i < Number(line); i++) ms.push(measured.pop() ?? (await step()));
    say({ ms, peakRssMb: peakRssMb() });
  }
  await runtime.dispose();
}

main(process.argv.slice(2)).catch((error: unknown) => {
  say({ failed: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
});
