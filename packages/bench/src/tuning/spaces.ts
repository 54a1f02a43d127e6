import type { MethodName, RunConfig } from '../config/index.js';

/** A setting that is searched, and how a trial draws it. */
export type Dimension = {
  readonly [Name in keyof RunConfig]-?:
    | { readonly name: Name; readonly kind: 'choice'; readonly values: readonly NonNullable<RunConfig[Name]>[] }
    // Rounded to two digits: more would say that more is known.
    | (NonNullable<RunConfig[Name]> extends number
        ? { readonly name: Name; readonly kind: 'log'; readonly range: readonly [low: number, high: number] }
        : never);
}[keyof RunConfig];

/** What the search of one method may try. */
export type SearchSpace = readonly Dimension[];

// Step sizes and learning rates are right or wrong by factors, so they are drawn log-uniformly.
const inner: SearchSpace = [
  { name: 'stepSize', kind: 'log', range: [0.003, 0.1] },
  { name: 'innerSteps', kind: 'choice', values: [5, 10, 20, 30] },
];
const start: SearchSpace = [
  { name: 'init', kind: 'choice', values: ['random', 'nearest-mean', 'mix'] },
  { name: 'augment', kind: 'choice', values: ['none', 'crop_scale_rotate', 'color_crop_cutout_scale_rotate'] },
];
const images: SearchSpace = [
  { name: 'imageLearningRate', kind: 'log', range: [1, 3_000] },
  { name: 'momentum', kind: 'choice', values: [0, 0.5, 0.9] },
];
const draws: SearchSpace = [
  { name: 'sigma', kind: 'choice', values: [0.001, 0.01] },
  { name: 'epochsAhead', kind: 'choice', values: [1, 2] },
];

/**
 * The settings that `bpc tune` searches, by method. Experts, network, data, number of outer steps and everything of the
 * evaluation are held fixed: they are the same for every method that is compared.
 */
export const searchSpaces: Readonly<Record<MethodName, SearchSpace>> = {
  'bpc-cd': [
    ...images,
    ...inner,
    ...start,
    { name: 'sigma', kind: 'choice', values: [0, 0.001, 0.01] },
    { name: 'temperature', kind: 'choice', values: [0, 1e-8, 1e-7] },
    { name: 'expertsPerStep', kind: 'choice', values: [1, 2] },
  ],
  'bpc-fkl': [...images, ...inner, ...start, ...draws, { name: 'draws', kind: 'choice', values: [1, 4, 10] }],
  'bpc-rkl': [
    { name: 'imageLearningRate', kind: 'log', range: [10, 10_000] },
    { name: 'momentum', kind: 'choice', values: [0, 0.5] },
    ...inner,
    ...start,
    ...draws,
    { name: 'draws', kind: 'choice', values: [5, 10, 20] },
  ],
  'bpc-w': [
    { name: 'imageLearningRate', kind: 'log', range: [3, 10_000] },
    { name: 'momentum', kind: 'choice', values: [0, 0.5, 0.9] },
    ...inner,
    ...start,
    { name: 'stepSizeLearningRate', kind: 'log', range: [1e-7, 1e-4] },
    { name: 'epochsAhead', kind: 'choice', values: [1, 2] },
  ],
  psvi: [
    // Of Adam, whose steps are as long as the learning rate.
    { name: 'imageLearningRate', kind: 'log', range: [0.001, 0.3] },
    { name: 'weightLearningRate', kind: 'log', range: [0.001, 0.1] },
    ...inner,
    ...start,
    ...draws,
    { name: 'draws', kind: 'choice', values: [5, 10, 20] },
  ],
};
