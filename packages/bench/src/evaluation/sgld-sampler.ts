import { disposeTree, foldIn } from '@bpc/core';
import { dispose } from '@tensorflow/tfjs-core';
import { chainHyper, type PosteriorSampler, type SamplerStart, samplerStepSize } from './posterior-sampler.js';

/**
 * Langevin steps, each on its own augmentation of the coreset.
 *
 * A program is one step: a block would draw other noise for the same seed, and gain nothing that can be measured.
 */
export function sgldSampler({ programs, settings, points, key, moves, params }: SamplerStart): PosteriorSampler {
  const hyper = chainHyper(settings, samplerStepSize(settings));
  let position = params;
  let at = moves;
  return {
    params: () => position,
    async advance(transitions, onMoved) {
      for (let i = 0; i < transitions; i++) {
        const x = points.augmented(at);
        try {
          const next = await programs.langevin(foldIn(key, at), position, x === undefined ? points.plain : { ...points.plain, x }, hyper);
          disposeTree(position);
          position = next;
        } finally {
          if (x !== undefined) dispose(x);
        }
        at++;
        await onMoved(1);
      }
    },
    endBurnIn: () => undefined,
    acceptance: () => undefined,
    dispose: () => disposeTree({ position, hyper }),
  };
}
