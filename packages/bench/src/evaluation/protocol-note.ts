import type { EvaluationConfig } from '../config/index.js';
import type { Inference } from './prediction-average.js';

/** What the figures that these settings give are of. */
export function inferenceOf({ protocol, temperature }: Pick<EvaluationConfig, 'protocol' | 'temperature'>): Inference {
  if (protocol === 'point-estimate') return 'point estimates';
  return temperature > 0 ? 'posterior' : 'ensemble';
}

/** How a sampler was run, in words. */
function samplerNote({ sampler, momentumDecay, leapfrogSteps, burnIn }: EvaluationConfig): string {
  const after = burnIn > 0 ? ` after ${burnIn} ${sampler === 'hmc' ? 'tuning ' : ''}transitions` : '';
  if (sampler === 'sghmc') return `sghmc, momentum decay ${momentumDecay}${after}`;
  if (sampler === 'hmc') return `hmc, ${leapfrogSteps} leapfrog steps, no augmentation${after}`;
  return `sgld${after}`;
}

/** What the note says of the coreset and the prior, in words. */
export interface EnergyWords {
  readonly prior: string;
  /** Range of the weights. */
  readonly weights: string;
}

/** How predictions from coresets were made, in words: point estimates and ensembles are never called a posterior. */
export function protocolNote(inference: Inference, settings: EvaluationConfig, { prior, weights }: EnergyWords): string {
  const { chains, draws, steps, batch, augment, temperature, stepSize, momentum, priorPrecision, reduction } = settings;
  const energy = `${prior}, energy: ${reduction} of the weighted losses, ${weights}`;
  switch (inference) {
    case 'point estimates': {
      const training = `SGD, learning rate ${stepSize}, momentum ${momentum}, weight decay ${priorPrecision}, batch ${batch}, augmentation ${augment}`;
      return `point estimates: ${chains} ${chains === 1 ? 'network' : 'networks'}, each trained for ${steps} epochs (${training}, ${weights}) and scored alone; mean ± sd over single networks, predictions are not averaged; the choice of the best iteration on the test set, as in the code released with BPC-CD, is not reproduced`;
    }
    case 'ensemble':
      return `ensemble of ${chains} ${chains === 1 ? 'network' : 'networks'} (T = 0, ${energy})`;
    case 'posterior':
      return `posterior: ${chains} chains × ${draws} draws (T = ${temperature}, ${samplerNote(settings)}, ${energy})`;
  }
}
