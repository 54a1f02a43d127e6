/**
 * One side of `bpc bench cd-step` in a process of its own: idle threads of one engine would otherwise steal a core from
 * the next.
 */
import { classTargets, key, type Tree } from '@bpc/core';
import { buildBenchNetwork } from '../bench-network.js';
import type { GradientTask } from '../task.js';
import { gradientProgram, gradientSteps } from './gradient-steps.js';
import { openSubject } from './open-subject.js';
import { drawsOf, milliseconds, readInputs, runSubject, say, serve, tensorOf, treeOf, writeOutputs } from './serve.js';

runSubject(async (argument) => {
  const task = argument as GradientTask;
  const { runtime, version } = await openSubject(task.subject, task.threads);
  if (task.evaluate === undefined) {
    const step = gradientSteps(task, runtime);
    await serve(() => milliseconds(step), version);
  } else {
    const entries = readInputs(task.evaluate);
    const params = treeOf(entries, 'params', buildBenchNetwork(task.network).init(key(0)));
    const targets = classTargets(tensorOf(entries, 'labels').dataSync(), 10);
    const program = gradientProgram(task, runtime);
    const found: Record<string, Tree> = {};
    for (const name of drawsOf(entries)) found[name] = await program(params, tensorOf(entries, name), targets);
    await writeOutputs(task.evaluate, found);
    say({ ready: true, version });
  }
  await runtime.dispose();
});
