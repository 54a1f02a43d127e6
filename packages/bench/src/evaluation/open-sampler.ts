import { hmcSampler } from './hmc-sampler.js';
import type { PosteriorSampler, SamplerStart } from './posterior-sampler.js';
import { sghmcSampler } from './sghmc-sampler.js';
import { sgldSampler } from './sgld-sampler.js';

/** The sampler that the settings name. */
export async function openSampler(start: SamplerStart): Promise<PosteriorSampler> {
  switch (start.settings.sampler) {
    case 'sgld':
      return sgldSampler(start);
    case 'sghmc':
      return sghmcSampler(start);
    case 'hmc':
      return hmcSampler(start);
  }
}
