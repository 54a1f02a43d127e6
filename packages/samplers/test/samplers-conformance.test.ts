import './support/backend.js';
import { constantSchedule, hmc, mala, psgld, sghmc, sgld, ula, underdampedLangevin } from '@bpc/samplers';
import { samplerConformance } from '@bpc/samplers/testing';
import { it } from 'vitest';

samplerConformance({ name: 'mala', algorithm: (target) => mala({ ...target, stepSize: 0.4 }), it });
samplerConformance({ name: 'hmc', algorithm: (target) => hmc({ ...target, stepSize: 0.3, leapfrogSteps: 5 }), it });
samplerConformance({
  name: 'hmc of random length',
  algorithm: (target) => hmc({ ...target, stepSize: 0.3, leapfrogSteps: [2, 8], stepSizeJitter: 0.3 }),
  it,
});
samplerConformance({ name: 'ula', algorithm: (target) => ula({ ...target, stepSize: 0.05 }), exact: false, thin: 8, it });
samplerConformance({
  name: 'sgld',
  algorithm: (target) => sgld({ ...target, stepSize: constantSchedule(0.05) }),
  exact: false,
  thin: 8,
  it,
});
samplerConformance({
  name: 'psgld',
  algorithm: (target) => psgld({ ...target, stepSize: 0.05, decay: 0.999, floor: 0.5 }),
  exact: false,
  thin: 8,
  it,
});
samplerConformance({
  name: 'psgld with its drift correction',
  algorithm: (target) => psgld({ ...target, stepSize: 0.05, decay: 0, floor: 1, correction: 'exact' }),
  exact: false,
  thin: 12,
  it,
});
samplerConformance({
  name: 'sghmc',
  algorithm: (target) => sghmc({ ...target, stepSize: 0.1, momentumDecay: 0.2 }),
  exact: false,
  thin: 8,
  it,
});
samplerConformance({
  name: 'underdampedLangevin',
  algorithm: (target) => underdampedLangevin({ ...target, stepSize: 0.3 }),
  exact: false,
  bias: 0.03,
  it,
});
