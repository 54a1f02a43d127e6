import { jsRuntime } from '@bpc/compiler';
import { type Algorithm, disposeTree, foldIn, key, scope, type Tree, treeEntries } from '@bpc/core';
import { algorithmConformance } from '@bpc/core/testing';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { log, mul, sub, sum, tensor1d } from '@tensorflow/tfjs-core';
import { gaussianTarget, type KnownTarget, skewedTarget } from '../targets/index.js';
import { expectStationary } from './expect-stationary.js';
import { simulate } from './simulate.js';

/** What a suite runs: `it` of vitest, mocha, jest or `node:test`, whose tests may be asynchronous. */
export type RegisterAsyncTest = (name: string, body: () => void | Promise<void>) => void;

/** Where chains of the suite are: two real numbers. */
export type ConformancePosition = { readonly x: Tensor };

/** What the suite samples. All targets have standard deviations between 0.5 and 2 at temperature 1, in two dimensions. */
export interface ConformanceTarget {
  readonly logDensity: (params: ConformancePosition) => Scalar;
  /** T: what should be left invariant is exp(log p/T). 1, but in the test of the temperature. */
  readonly temperature: number;
}

/** Options of `samplerConformance`. */
export interface SamplerConformanceOptions<State extends Tree & { readonly position: ConformancePosition }, Info extends Tree> {
  readonly name: string;
  /** Your sampler for a target, with a step size that suits standard deviations near 1. */
  readonly algorithm: (target: ConformanceTarget) => Algorithm<ConformancePosition, State, Info>;
  /**
   * Whether it leaves its target invariant exactly and rejects what is not finite (true by default), or has a bias of its step
   * size, of which `bias` says how large.
   */
  readonly exact?: boolean;
  /** Of an inexact sampler: what means may be off in standard deviations, and variances as a share. 0.1 by default. */
  readonly bias?: number;
  /** False if it has no temperature; true by default. */
  readonly temperature?: boolean;
  /** Draws of each statistical test, 30 000 by default. */
  readonly draws?: number;
  /** Steps per draw, 1 by default: more for samplers that move slowly. */
  readonly thin?: number;
  /** Least effective sample size of those tests, 1000 by default. */
  readonly leastEss?: number;
  /** `it` of your test runner. */
  readonly it: RegisterAsyncTest;
}

function demand(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

const start = (): ConformancePosition => ({ x: tensor1d([0.8, 1.1]) });

/** Gamma variables of shape 2, written so that log p is NaN below 0. */
const halfLine = ({ x }: ConformancePosition): Scalar => sum(sub(log(x), mul(x, 1.5))) as Scalar;

const numbers = (tree: Tree) => treeEntries(tree).flatMap(([path, leaf]) => Array.from(leaf.dataSync(), (value) => [path, value] as const));

/**
 * Registers the tests that every sampler must pass: those of `algorithmConformance`, and that it
 * - leaves a correlated normal and a skewed distribution invariant, means and variances, by `expectStationary`;
 * - does so at another temperature;
 * - keeps positions where the log density is NaN out of its state;
 * - takes the same steps compiled by the js runtime as eagerly, up to float32.
 *
 * A few seconds. It needs a tfjs backend, and the state must have the position as `position`.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { mala } from '@bpc/samplers';
 * import { type RegisterAsyncTest, samplerConformance } from '@bpc/samplers/testing';
 * const suite = (it: RegisterAsyncTest) =>
 *   samplerConformance({ name: 'mala', algorithm: (target) => mala({ ...target, stepSize: 0.4 }), it });
 * ```
 */
export function samplerConformance<State extends Tree & { readonly position: ConformancePosition }, Info extends Tree>(
  options: SamplerConformanceOptions<State, Info>,
): void {
  const { name, algorithm, exact = true, temperature = true, draws = 30_000, thin = 1, leastEss = 1000, it } = options;
  const bias = exact ? 0 : (options.bias ?? 0.1);
  const normal = gaussianTarget({
    mean: [1, -2],
    covariance: [
      [1, 0.6],
      [0.6, 1.5],
    ],
  });
  const skewed = skewedTarget({ shape: 1, size: 2 });
  const target = ({ logDensity }: KnownTarget, heat = 1): ConformanceTarget => ({
    logDensity: (params) => logDensity(params, {}),
    temperature: heat,
  });

  algorithmConformance({ name, algorithm: algorithm(target(normal)), position: start, it });

  const stationary = async (law: KnownTarget, heat: number): Promise<void> => {
    const position = start();
    const chains = await simulate(algorithm(target(law, heat)), { position, key: key(17), draws, thin, warmup: 500 });
    disposeTree(position);
    chains.forEach((chain, i) => {
      const [mean, variance] = [law.moments.mean[i] ?? 0, (law.moments.variance[i] ?? 0) * heat];
      expectStationary({ name: `${name}: x[${i}]`, chains: [chain], mean, variance, leastEss, bias });
    });
  };

  it(`${name}: leaves a normal distribution invariant`, () => stationary(normal, 1));
  it(`${name}: leaves a skewed distribution invariant`, () => stationary(skewed, 1));
  if (temperature) it(`${name}: leaves a normal distribution invariant at temperature 0.5`, () => stationary(normal, 0.5));

  it(`${name}: takes the same steps compiled as eagerly`, async () => {
    const own = algorithm(target(skewed));
    const runtime = jsRuntime();
    const program = runtime.compile((k: Parameters<typeof own.step>[0], state: State) => own.step(k, state));
    const position = start();
    let state = own.init(position, key(0));
    disposeTree(position);
    for (let i = 0; i < 10; i++) {
      const own_ = foldIn(key(3), i);
      const eager = scope(() => own.step(own_, state));
      const compiled = await program(own_, state);
      const [expected, found] = [numbers(eager[0]), numbers(compiled[0])];
      expected.forEach(([path, value], k) => {
        const other = found[k]?.[1] ?? Number.NaN;
        const close = Object.is(value, other) || Math.abs(value - other) <= 1e-4 * Math.max(1, Math.abs(value));
        demand(close, `step ${i} gives ${other} at '${path}' compiled, and ${value} eagerly`);
      });
      disposeTree([state, eager[1], compiled[0], compiled[1]]);
      state = eager[0];
    }
    disposeTree(state);
    await runtime.dispose();
  });

  if (!exact) return;
  it(`${name}: keeps out of positions where the log density is NaN`, async () => {
    const position = start();
    const chains = await simulate(algorithm({ logDensity: halfLine, temperature: 1 }), { position, key: key(5), draws: 2000 });
    disposeTree(position);
    for (const chain of chains) {
      const at = chain.findIndex((value) => !(value > 0));
      demand(at < 0, `draw ${at} is ${chain[at]}, where the log density is NaN`);
      demand(new Set(chain).size > 20, 'the chain does not move any more');
    }
  });
}
