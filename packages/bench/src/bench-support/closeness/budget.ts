import type { ExpertBudget } from './experts.js';
import type { SamplingBudget } from './posterior.js';
import type { CaseName } from './problem.js';

/** How much work a case is. The same for all of its methods. */
export interface CaseBudget {
  /** Outer steps of everything that learns points. */
  readonly steps: number;
  readonly experts: ExpertBudget;
  /** Settings that are tried for each method. */
  readonly trials: number;
  /** Seeds that each trial is scored on; none of them is reported. */
  readonly selectionSeeds: number;
  /** NUTS on the full data; not looked at where the posterior has a closed form. */
  readonly reference: SamplingBudget;
  /** NUTS on coresets of reported seeds. */
  readonly sampling: SamplingBudget;
  /** NUTS on coresets of trials. */
  readonly selection: SamplingBudget;
}

const nuts = (chains: number, warmup: number, draws: number, maxDepth = 10): SamplingBudget => ({ chains, warmup, draws, maxDepth });

const full: Readonly<Record<CaseName, CaseBudget>> = {
  regression: {
    ...{ steps: 1000, trials: 8, selectionSeeds: 2 },
    experts: { experts: 10, epochs: 40, batch: 20, stepSize: 2 },
    ...{ reference: nuts(4, 0, 0), sampling: nuts(4, 0, 0), selection: nuts(4, 0, 0) },
  },
  a9a: {
    ...{ steps: 1000, trials: 8, selectionSeeds: 2 },
    experts: { experts: 10, epochs: 20, batch: 50, stepSize: 2 },
    ...{ reference: nuts(4, 500, 2000), sampling: nuts(4, 300, 500), selection: nuts(2, 200, 250) },
  },
  'digits-mlp': {
    ...{ steps: 300, trials: 8, selectionSeeds: 1 },
    experts: { experts: 10, epochs: 20, batch: 50, stepSize: 20 },
    // Trajectories of 63 steps: deeper trees cost twice as much and mix the log density no better.
    ...{ reference: nuts(4, 200, 200, 6), sampling: nuts(4, 150, 150, 6), selection: nuts(2, 100, 100, 6) },
  },
};

const quick: Readonly<Record<CaseName, Partial<CaseBudget>>> = {
  regression: { steps: 20 },
  a9a: { steps: 10, reference: nuts(2, 100, 200), sampling: nuts(2, 50, 100), selection: nuts(2, 50, 50) },
  'digits-mlp': { steps: 5, reference: nuts(2, 30, 30, 4), sampling: nuts(2, 20, 20, 4), selection: nuts(2, 20, 20, 4) },
};

/** The budget of a case: in earnest, or `quick`, whose figures say that everything runs and nothing more. */
export function budgetOf(name: CaseName, small: boolean): CaseBudget {
  const budget = full[name];
  if (!small) return budget;
  return { ...budget, trials: 1, selectionSeeds: 1, experts: { ...budget.experts, experts: 2, epochs: 8 }, ...quick[name] };
}
