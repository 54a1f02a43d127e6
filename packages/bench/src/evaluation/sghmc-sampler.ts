import { disposeTree, foldIn } from '@bpc/core';
import { dispose } from '@tensorflow/tfjs-core';
import { pieceSize } from '../experts/working-set.js';
import { chainHyper, mostTransitionsPerBlock, type PosteriorSampler, type SamplerStart, samplerStepSize } from './posterior-sampler.js';

/** Steps with momentum and friction, each on its own augmentation of the coreset, in blocks. */
export async function sghmcSampler({ programs, settings, points, key, startKey, moves, params }: SamplerStart): Promise<PosteriorSampler> {
  const { init, block } = programs.sghmc(settings.momentumDecay);
  const hyper = chainHyper(settings, samplerStepSize(settings));
  let state = await init(startKey, params, points.plain, hyper);
  disposeTree(params);
  let at = moves;
  return {
    params: () => state.position,
    async advance(transitions, onMoved) {
      const length = pieceSize(transitions, mostTransitionsPerBlock);
      for (let i = 0; i < transitions; i += length) {
        const images = points.augmentedBlock(at, length);
        try {
          const next = await block(length)(foldIn(key, at), state, points.plain, images, hyper);
          disposeTree(state);
          state = next;
        } finally {
          if (images !== undefined) dispose(images);
        }
        at += length;
        await onMoved(length);
      }
    },
    endBurnIn: () => undefined,
    acceptance: () => undefined,
    dispose: () => disposeTree({ state, hyper }),
  };
}
