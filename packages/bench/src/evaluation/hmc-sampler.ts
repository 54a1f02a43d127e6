import { disposeTree, foldIn, type Tree } from '@bpc/core';
import { dualAveraging, type HmcState } from '@bpc/samplers';
import { dispose, scalar } from '@tensorflow/tfjs-core';
import { pieceSize } from '../experts/working-set.js';
import { chainHyper, mostTransitionsPerBlock, type PosteriorSampler, type SamplerStart, samplerStepSize } from './posterior-sampler.js';

// Stan's: on the safe side of the 0.65 that is best in high dimension.
const targetAcceptance = 0.8;

/** The state with another step size; takes the state. */
function withStepSize(state: HmcState<Tree>, stepSize: number): HmcState<Tree> {
  dispose(state.stepSize);
  return { ...state, stepSize: scalar(stepSize, 'float32') };
}

/**
 * Hamiltonian Monte Carlo on the coreset as it is, never on augmentations: a trajectory conserves the energy of one target, and
 * log p at its start is that of the same points, or the accept step would compare two densities.
 *
 * Transitions of the burn-in tune the step size by dual averaging; then it is fixed.
 */
export async function hmcSampler({ programs, settings, points, key, startKey, moves, params }: SamplerStart): Promise<PosteriorSampler> {
  const { init, block } = programs.hmc(settings.leapfrogSteps);
  const begun = samplerStepSize(settings);
  const hyper = chainHyper(settings, begun);
  const adaptation = dualAveraging({ targetAcceptance });
  adaptation.begin(begun);
  let state = await init(startKey, params, points.plain, hyper);
  disposeTree(params);
  let at = moves;
  let tuning = settings.burnIn > 0;
  let accepted = 0;
  let counted = 0;

  const run = async (length: number): Promise<number> => {
    const { state: next, acceptance } = await block(length)(foldIn(key, at), state, points.plain, hyper);
    disposeTree(state);
    state = next;
    at += length;
    const [rate = Number.NaN] = await acceptance.data();
    dispose(acceptance);
    return rate;
  };
  return {
    params: () => state.position,
    async advance(transitions, onMoved) {
      const length = tuning ? 1 : pieceSize(transitions, mostTransitionsPerBlock);
      for (let i = 0; i < transitions; i += length) {
        const rate = await run(length);
        if (tuning) {
          adaptation.update(rate);
          state = withStepSize(state, adaptation.stepSize);
        } else {
          accepted += rate * length;
          counted += length;
        }
        await onMoved(length);
      }
    },
    endBurnIn() {
      if (tuning) state = withStepSize(state, adaptation.averaged);
      tuning = false;
    },
    acceptance: () => (counted === 0 ? undefined : accepted / counted),
    dispose: () => disposeTree({ state, hyper }),
  };
}
