import {
  algorithmDraws,
  contrastiveEstimate,
  type DivergenceInput,
  descentDraws,
  forwardKlEstimate,
  type KroneckerLaplace,
  key,
  kroneckerLaplace,
  type PosteriorDraws,
  type Tree,
  treeEntries,
  treeMap,
  treeUnflatten,
  wassersteinEstimate,
} from '@bpc/core';
import { type HmcState, hmc, hmcStep } from '@bpc/samplers';
import { add, concat, matMul, mul, reshape, scalar, slice, stack, type Tensor } from '@tensorflow/tfjs-core';
import { divergenceOf } from './divergence-of.js';
import type { DivergenceSettings } from './methods.js';
import type { DivergenceTask } from './task.js';

/** Standard normal draws shaped like the parameters. */
export type GivenNoise = { readonly [kind in 'expert' | 'posterior' | 'chain']: readonly Tree[] };

/** Draws stacked along axis 0 of every leaf. */
function stacked(draws: readonly Tree[], count: number): Tree {
  const [first, ...rest] = draws.slice(0, count);
  if (first === undefined || rest.length !== count - 1) throw new Error(`there are ${draws.length} draws of ${count}`);
  return treeMap((...leaves: readonly Tensor[]) => stack([...leaves]), first, ...rest);
}

/** What `descentDraws` draws, with its noise given. */
function givenDescent({ innerSteps: steps, stepSize, sigma }: DivergenceSettings, noise: GivenNoise): PosteriorDraws {
  const centre = descentDraws({ steps, stepSize, sigma: 0 });
  return {
    name: 'given',
    requiresStart: true,
    draw: (_, input, count) =>
      treeMap(
        (middle, epsilon) => add(middle, mul(epsilon, sigma)),
        centre.draw(key(0), input, count),
        // Given noise has the structure of the parameters, whatever their type.
        stacked(noise.posterior, count) as typeof input.expert,
      ),
  };
}

/** The uniform draw that decides whether a transition of HMC is accepted. */
export const acceptDraw = 0.5;

/** The end of a chain of HMC, with its momenta given. */
function givenHmc({ innerSteps, stepSize, leapfrogSteps }: DivergenceSettings, noise: GivenNoise): PosteriorDraws {
  return algorithmDraws({
    steps: 0,
    algorithm<P extends Tree>(logDensity: (position: P) => ReturnType<typeof scalar>) {
      const options = { logDensity, stepSize, leapfrogSteps };
      return {
        init: hmc(options).init,
        // All transitions in one step, so that each can have its own momentum.
        step(_: unknown, state: HmcState<P>) {
          const transitions = noise.chain.slice(0, innerSteps);
          const end = transitions.reduce(
            (current: HmcState<P>, momentum) => hmcStep(current, { momentum: momentum as P, accept: scalar(acceptDraw) }, options)[0],
            state,
          );
          return [end, {}] as const;
        },
      };
    },
  });
}

/** What `kroneckerLaplaceDraws` draws, with its noise given: that of a layer's bias is the last row of Z. */
function givenLaplace({ innerSteps: steps, stepSize, precision }: DivergenceSettings, noise: GivenNoise): PosteriorDraws {
  return {
    name: 'given',
    draw<P extends Tree>(_: unknown, input: DivergenceInput<P>, count: number) {
      const { mode, roots } = kroneckerLaplace(input, { steps, stepSize, precision });
      return stacked(
        noise.posterior.slice(0, count).map((draw) => laplaceDraw(mode, roots, draw)),
        count,
      ) as P;
    },
  };
}

function laplaceDraw(mode: Tree, roots: KroneckerLaplace<Tree>['roots'], noise: Tree): Tree {
  const [given, leaves] = [new Map(treeEntries(noise)), new Map(treeEntries(mode))];
  for (const [layer, { inputs, outputs }] of Object.entries(roots)) {
    const [kernel, bias] = [`${layer}/kernel`, `${layer}/bias`];
    const [z, zBias, at, atBias] = [given.get(kernel), given.get(bias), leaves.get(kernel), leaves.get(bias)];
    if (z === undefined || zBias === undefined || at === undefined || atBias === undefined) throw new Error(`no parameters of ${layer}`);
    const [units = 0] = zBias.shape;
    const rows = concat([reshape(z, [-1, units]), reshape(zBias, [1, units])], 0);
    const change = matMul(matMul(inputs, rows, true), outputs);
    const fanIn = at.size / units;
    leaves.set(kernel, add(at, reshape(slice(change, [0, 0], [fanIn, units]), at.shape)));
    leaves.set(bias, add(atBias, reshape(slice(change, [fanIn, 0], [1, units]), [units])));
  }
  return treeUnflatten(mode, [...leaves.values()]);
}

/** The estimate of a task with all its noise given: value, and gradients by what they are in. */
export function estimateOf(task: DivergenceTask, input: DivergenceInput<Tree>, noise: GivenNoise): Record<string, Tree> {
  const { method, settings } = task;
  const { innerSteps: steps, stepSize, temperature, sigma, draws } = settings;
  const forward = (posterior: PosteriorDraws) => {
    const negative = posterior.draw(key(0), input, draws);
    const { grad, value } = forwardKlEstimate(input, { expert: stacked(noise.expert, draws), negative }, { sigma });
    return { x: grad.x ?? [], value };
  };
  switch (method) {
    case 'bpc-cd': {
      const given = { expert: noise.expert[0], chain: stacked(noise.chain, steps) };
      const { grad, value } = contrastiveEstimate(input, given, { steps, stepSize, temperature, sigma });
      return { x: grad.x ?? [], value };
    }
    case 'bpc-fkl':
      return forward(givenDescent(settings, noise));
    case 'hmc':
      return forward(givenHmc(settings, noise));
    case 'kfl':
      return forward(givenLaplace(settings, noise));
    case 'bpc-w': {
      const { grad, value, stepSizeGradient } = wassersteinEstimate(input, { steps, stepSize });
      return { x: grad.x ?? [], value, stepSize: stepSizeGradient };
    }
    default: {
      const { grad, value = [] } = divergenceOf(task, givenDescent(settings, noise)).estimate(key(0), input);
      return { x: grad.x ?? [], value, ...(grad.weights === undefined ? {} : { weights: grad.weights }) };
    }
  }
}
