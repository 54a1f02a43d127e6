import { ConfigError, type Key, key, NonFiniteError, ShapeError } from '@bpc/core';
import { checkDivergenceThreshold, checkMaxDepth, checkStepSize, checkTemperature } from './check.js';
import { drive, type Machine } from './drive.js';
import type { NutsKernel, NutsKernelOptions } from './kernel-interface.js';
import { leapfrog } from './leapfrog.js';
import { checkMetric, unitMetric } from './metric.js';
import { randomStream } from './random-stream.js';
import { makeStepSizeSearch } from './step-size-search.js';
import { makeTree, treeRows, treeSlots } from './tree.js';
import { fillSlot, makeWorkspace, momentumOf } from './workspace.js';

/**
 * The no-U-turn sampler as a kernel that works in place: the multinomial variant that Stan runs (see `nuts`).
 *
 * For drivers and benchmarks. Promises appear only if the density gives promises; one call at a time.
 *
 * @throws ConfigError on an option out of its domain, or on overlapping calls.
 * @example
 * ```ts
 * import { type FlatDensity, key } from '@bpc/core';
 * import { nutsKernel } from '@bpc/samplers';
 * const density: Pick<FlatDensity, 'size' | 'evaluate'> = { size: 1, evaluate: (q, g) => ((g[0] = -q[0]!), -0.5 * q[0]! ** 2) };
 * const kernel = nutsKernel({ density });
 * await kernel.start(Float64Array.of(1));
 * kernel.stepSize = await kernel.initialStepSize(key(0));
 * await kernel.transition(key(1));
 * console.log(kernel.position, kernel.info);
 * ```
 */
export function nutsKernel(options: NutsKernelOptions): NutsKernel {
  const { density } = options;
  const { size } = density;
  const maxDepth = checkMaxDepth(options.maxDepth ?? 10);
  const temperature = checkTemperature(options.temperature ?? 1);
  const workspace = makeWorkspace(size, treeSlots(maxDepth), treeRows(maxDepth));
  const { values, logDensities, energies, positions, gradients } = workspace;
  const integrator = leapfrog(workspace, temperature);
  // Seeded anew before every use.
  const stream = randomStream(key(0));
  const tree = makeTree(workspace, integrator, stream, maxDepth, checkDivergenceThreshold(options.divergenceThreshold ?? 1000));

  const position = new Float64Array(size);
  const gradient = new Float64Array(size);
  const divergence = { start: new Float64Array(size), end: new Float64Array(size) };
  const info = { acceptance: 0, depth: 0, leapfrogSteps: 0, divergent: false, energy: 0, logDensity: Number.NaN, maxDepthReached: false };
  let stepSize = 1;
  let metric = unitMetric(size);
  // Step size and metric that the integrator has; unset by the search, which tries others.
  let configured = false;
  let ready = false;
  let busy = false;

  const search = makeStepSizeSearch(workspace, integrator, stream, (step) => integrator.configure(step, metric));

  const fail = (): void => {
    busy = false;
  };
  const keep = (slot: number): void => {
    const point = positions[slot] as Float64Array;
    const slope = gradients[slot] as Float64Array;
    for (let i = 0; i < size; i++) {
      position[i] = point[i] as number;
      gradient[i] = slope[i] as number;
    }
    info.logDensity = logDensities[slot] as number;
  };
  const checkReady = (): void => {
    ready = Number.isFinite(info.logDensity) && gradient.every(Number.isFinite);
  };

  const starting: Machine<void> = {
    advance: () => -1,
    finish() {
      busy = false;
      keep(0);
      checkReady();
    },
    fail,
  };
  const moving: Machine<void> = {
    advance: tree.advance,
    finish() {
      busy = false;
      const { proposal, divergedFrom } = tree;
      keep(proposal);
      info.acceptance = tree.acceptance;
      info.depth = tree.depth;
      info.leapfrogSteps = tree.leapfrogSteps;
      info.divergent = divergedFrom >= 0;
      info.energy = energies[proposal] as number;
      info.maxDepthReached = tree.depth === maxDepth;
      if (divergedFrom < 0) return;
      divergence.start.set(positions[divergedFrom] as Float64Array);
      divergence.end.set(positions[tree.divergedTo] as Float64Array);
    },
    fail,
  };
  const searching: Machine<number> = {
    advance: search.advance,
    finish() {
      busy = false;
      if (!search.failed) return search.stepSize;
      throw search.stepSize > 1
        ? new NonFiniteError('every step size is accepted: the density does not fall off', 0, 'give every parameter a proper prior')
        : new NonFiniteError('no step size is accepted: the density is not continuous here', 0, 'check the gradient at the start');
    },
    fail,
  };

  /** One call at a time, from a point where there is a gradient to follow. */
  const enter = (): void => {
    if (busy) throw new ConfigError('a call of this kernel is still running', 'await it, and make one kernel per chain');
    busy = true;
  };
  const prepare = (from: Key): void => {
    if (!ready) {
      throw new NonFiniteError(
        `log density ${info.logDensity} or its gradient is not finite where the chain stands`,
        0,
        'start at a position where both are finite',
      );
    }
    enter();
    fillSlot(workspace, 0, position, gradient, info.logDensity);
    try {
      stream.seed(from);
    } catch (error) {
      fail();
      throw error;
    }
  };
  const checkLength = (name: string, array: Float64Array): void => {
    if (array.length === size) return;
    throw new ShapeError(`${name} has ${array.length} numbers, expected ${size}`, 'pass one number per unconstrained parameter');
  };

  return {
    size,
    position,
    gradient,
    get logDensity() {
      return info.logDensity;
    },
    get stepSize() {
      return stepSize;
    },
    set stepSize(value) {
      stepSize = checkStepSize(value);
      configured = false;
    },
    get metric() {
      return metric;
    },
    set metric(value) {
      metric = checkMetric(value, size);
      configured = false;
    },
    info,
    divergence,
    start(from) {
      checkLength('position', from);
      enter();
      fillSlot(workspace, 0, from, gradient, Number.NaN);
      return drive(density, workspace, 0, starting);
    },
    restore(from, slope, logDensity) {
      checkLength('position', from);
      checkLength('gradient', slope);
      enter();
      fillSlot(workspace, 0, from, slope, logDensity);
      starting.finish();
    },
    transition(from) {
      prepare(from);
      if (!configured) integrator.configure(stepSize, metric);
      configured = true;
      stream.normals(values, momentumOf(workspace, 0), size);
      integrator.enter(0);
      if (energies[0] === Number.POSITIVE_INFINITY) {
        fail();
        throw new NonFiniteError(`log density ${info.logDensity} / ${temperature} overflows`, 0, 'raise the temperature');
      }
      return drive(density, workspace, tree.begin(), moving);
    },
    initialStepSize(from) {
      prepare(from);
      configured = false;
      return drive(density, workspace, search.begin(stepSize), searching);
    },
  };
}
