import { foldIn, hostInteger, hostUniform, type Key, key } from '@bpc/core';
import { type ClosenessProblem, isRegression, trainCount } from './problem.js';

/** What learns points, by the names of `bpc learn`. */
export const divergenceNames = ['bpc-cd', 'bpc-fkl', 'bpc-rkl', 'bpc-w', 'psvi'] as const;
export type DivergenceName = (typeof divergenceNames)[number];
/** What chooses points and their weights, of regressions only. */
export const subsetNames = ['giga', 'sparse-vi'] as const;
export type SubsetName = (typeof subsetNames)[number];
export type StudyMethod = DivergenceName | SubsetName;
/** What costs nothing. */
export const controlNames = ['random', 'prior'] as const;
export type ControlName = (typeof controlNames)[number];

/** Values of a method's settings. */
export type Settings = Readonly<Record<string, number | string>>;

/** A setting that is searched. Lengths are right or wrong by factors, so they are drawn log-uniformly. */
type Dimension =
  | { readonly kind: 'log'; readonly range: readonly [low: number, high: number] }
  | { readonly kind: 'choice'; readonly values: readonly (number | string)[] };
type Space = Readonly<Record<string, Dimension>>;

const log = (low: number, high: number): Dimension => ({ kind: 'log', range: [low, high] });
const choice = (...values: readonly (number | string)[]): Dimension => ({ kind: 'choice', values });

/** The methods that apply to a case: subsets are chosen by draws from a regression's Laplace approximations. */
export const methodsOf = (problem: Pick<ClosenessProblem, 'hidden'>): readonly StudyMethod[] =>
  isRegression(problem) ? [...divergenceNames, ...subsetNames] : divergenceNames;

/**
 * What a method's search may try. Step sizes are in units of `stepUnit`, learning rates those of Adam on inputs of variance
 * about 1; the number of outer steps and the experts are the same for all.
 */
export function searchSpace(method: StudyMethod, problem: ClosenessProblem): Space {
  const single = isRegression(problem);
  // Draws of a coreset's posterior: the papers' normals around the end of gradient steps, or Laplace's, or Langevin's at T = 1.
  const draws = single ? choice('descent', 'laplace') : choice('descent', 'langevin');
  const learning = { learningRate: single ? log(0.005, 0.2) : log(0.003, 0.1) };
  // Of a network fewer and shorter chains: a gradient costs ten times as much.
  const inner = single ? { stepSize: log(0.1, 2), innerSteps: choice(5, 20, 50) } : { stepSize: log(1, 20), innerSteps: choice(5, 20) };
  const sigma = { sigma: choice(0.001, 0.01, 0.05) };
  const ahead = { ahead: choice(1, 5) };
  const share = trainCount(problem) / problem.points;
  switch (method) {
    case 'bpc-cd':
      return { ...learning, ...inner, ...sigma, temperature: choice(0, 1), snapshots: choice('all', 'late') };
    case 'bpc-fkl':
      return { ...learning, ...inner, ...sigma, ...ahead, draws: single ? choice(4, 16) : choice(2, 8), temperature: choice(0, 1) };
    case 'bpc-rkl':
      return { ...learning, ...inner, ...sigma, ...ahead, draws: single ? choice(10, 30) : choice(5, 10), posterior: draws };
    case 'bpc-w':
      return { ...learning, ...inner, ...ahead };
    case 'psvi':
      // As in its paper, which draws from Laplace approximations; a network has too many parameters for them.
      if (single) return { ...learning, draws: choice(30, 100), posterior: choice('laplace'), weightLearningRate: log(0.005, 0.1) };
      return { ...learning, ...inner, ...sigma, ...ahead, draws: choice(5, 10), posterior: draws, weightLearningRate: log(0.001, 0.05) };
    case 'giga':
      return { pilot: choice(problem.points, 4 * problem.points, trainCount(problem)), draws: choice(50, 200, 500) };
    case 'sparse-vi':
      return { initialStep: log(0.03 * share, share), reweightingSteps: choice(20, 50), draws: choice(50, 100) };
  }
}

/** A number for a name, so that a setting keeps its draws whatever others there are (FNV-1a). */
const stream = (name: string): number =>
  [...name].reduce((hash, letter) => Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0, 0x811c9dc5);

function drawValue(own: Key, dimension: Dimension): number | string {
  if (dimension.kind === 'choice') return dimension.values[hostInteger(own, dimension.values.length)] ?? '';
  const [low, high] = dimension.range;
  const [position = 0] = hostUniform(own, 1);
  // Two digits: more would say that more is known.
  return Number((low * (high / low) ** position).toPrecision(2));
}

const TRIALS = 0x7a1a5;

/** The settings of trial `index`, drawn from the space. */
export function drawSettings(method: StudyMethod, problem: ClosenessProblem, index: number): Settings {
  const own = foldIn(key(TRIALS), index);
  const space = searchSpace(method, problem);
  return Object.fromEntries(Object.entries(space).map(([name, dimension]) => [name, drawValue(foldIn(own, stream(name)), dimension)]));
}
