import { fileURLToPath } from 'node:url';
import { disposeTree, ensureHostBackend, InterruptedError, key, treeEntries } from '@bpc/core';
import type { CommandContext } from '../../cli/context.js';
import type { RunConfig } from '../../config/index.js';
import { buildNetwork, networkSpec } from '../../experts/network.js';
import { seedsOf } from '../../learning/learn-run.js';
import { type Absence, startResponder } from '../subject-process.js';
import type { PinRun } from './compare.js';
import type { PinFiles } from './our-side.js';

/** The peer's runs. */
export interface PeerSide {
  readonly runs: readonly PinRun[];
  readonly version: string;
}

/** Names and shapes of the parameters that the peer's network has to have. */
function parameterShapes(config: RunConfig, shape: readonly [number, number, number]): (readonly [string, readonly number[]])[] {
  ensureHostBackend();
  const params = buildNetwork(networkSpec(config, { shape, classes: 10 })).init(key(0));
  const shapes = treeEntries(params).map(([path, leaf]) => [path, leaf.shape] as const);
  disposeTree(params);
  return shapes;
}

/** Asks the PyTorch script for the same run, seed by seed; or why there is no peer. */
export async function peerSide(
  { config, python }: { readonly config: RunConfig; readonly python: string },
  files: PinFiles,
  context: CommandContext,
): Promise<PeerSide | Absence> {
  const script = fileURLToPath(new URL('../../../peers/torch_wasserstein_run.py', import.meta.url));
  const task = { config, parameters: parameterShapes(config, [8, 8, 1]), threads: config.threads, ...files };
  const responder = await startResponder({ command: python, args: [script, JSON.stringify(task)] }, context.signal);
  const stopIfAsked = () => {
    if (context.signal.aborted) throw new InterruptedError('stopped while the peer was running', 0, 'start the same command again');
  };
  stopIfAsked();
  if ('absent' in responder) return responder;
  const seeds = seedsOf(config);
  const phase = context.reporter.phase(`the same ${seeds.length} runs in PyTorch`, seeds.length);
  try {
    const runs: PinRun[] = [];
    for (const seed of seeds) {
      const answer = await responder.ask<PinRun>({ seed });
      stopIfAsked();
      if ('absent' in answer) return answer;
      runs.push(answer.result);
      phase.update(runs.length);
    }
    return { runs, version: responder.version };
  } finally {
    responder.stop();
    phase.finish();
  }
}
