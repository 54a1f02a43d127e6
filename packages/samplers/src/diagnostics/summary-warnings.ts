import type { Draws } from '../draws.js';
import { type Divergences, divergences } from './divergences.js';
import { statisticOf, treeDepthHits } from './draw-statistics.js';
import { ebfmi } from './energy.js';
import type { SummaryRow } from './summary-row.js';

/** Something that makes the draws doubtful, in words, with what to do about it. */
export interface SummaryWarning {
  readonly kind:
    | 'interrupted'
    | 'not finite'
    | 'too few draws'
    | 'constant'
    | 'R-hat'
    | 'effective sample size'
    | 'divergences'
    | 'tree depth'
    | 'energy';
  readonly message: string;
  readonly remedy: string;
  /** Names of the quantities it is about, if it is about some only. */
  readonly quantities?: readonly string[];
}

/** Above it chains do not agree (Vehtari et al. 2021). */
const HIGHEST_RHAT = 1.01;
/** Below it R-hat and ESS themselves are not reliable (Vehtari et al. 2021: 400 for four chains). */
const LEAST_DRAWS_PER_CHAIN = 100;
/** Below it the energy is explored too slowly (Betancourt 2016; Stan's threshold). */
const LOWEST_EBFMI = 0.3;
/** A mean rank this far from ½ says where divergences are. */
const TELLING = 0.25;
/** Fewer divergences may be anywhere by chance. */
const ENOUGH = 5;

const few = (names: readonly string[]) =>
  names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
const percent = (share: number) => `${(100 * share).toPrecision(2)} %`;
/** R-hat with the digits that tell it from its threshold. */
const asInTable = (value: number) => (value >= 10 ? value.toPrecision(3) : value.toFixed(3));
const short = (value: number) => String(Number(value.toPrecision(3)));

function aboutRows(rows: readonly SummaryRow[], chains: number): SummaryWarning[] {
  const names = (of: (row: SummaryRow) => boolean) => rows.filter(of).map(({ name }) => name);
  const infinite = names(({ flaw }) => flaw === 'not finite');
  const scarce = names(({ flaw }) => flaw === 'too few draws');
  const constant = names(({ flaw }) => flaw === 'constant');
  const apart = rows.filter(({ rhat }) => rhat > HIGHEST_RHAT).sort((a, b) => b.rhat - a.rhat);
  const wanted = LEAST_DRAWS_PER_CHAIN * chains;
  const least = ({ essBulk, essTail }: SummaryRow) => Math.min(essBulk, essTail);
  const thin = rows.filter((row) => least(row) < wanted).sort((a, b) => least(a) - least(b));
  const of = (warning: SummaryWarning & { readonly quantities: readonly string[] }) => (warning.quantities.length === 0 ? [] : [warning]);
  const [worst, thinnest] = [apart[0], thin[0]];
  return [
    ...of({
      kind: 'not finite',
      message: `some draws of ${few(infinite)} are NaN or infinite`,
      remedy: 'look for overflow, or for logarithms and divisions by 0, in how they are computed',
      quantities: infinite,
    }),
    ...of({
      kind: 'too few draws',
      message: 'there are fewer than 4 draws per chain, so that nothing can be said about convergence',
      remedy: 'make more draws',
      quantities: scarce,
    }),
    ...of({
      kind: 'constant',
      message: `${few(constant)} never changed, so that R-hat and ESS do not exist`,
      remedy: 'ignore this for what is constant by construction; otherwise the chains are stuck: check the start and the step size',
      quantities: constant,
    }),
    ...of({
      kind: 'R-hat',
      message: `R-hat is above ${HIGHEST_RHAT} for ${few(apart.map(({ name }) => name))} (largest ${worst === undefined ? '' : asInTable(worst.rhat)}): the chains do not agree`,
      remedy:
        'run longer, warm-up included; if chains stay apart on a trace plot, the target has several modes or needs another parametrisation',
      quantities: apart.map(({ name }) => name),
    }),
    ...of({
      kind: 'effective sample size',
      message:
        `bulk or tail ESS is below ${wanted} (${LEAST_DRAWS_PER_CHAIN} per chain) for ${few(thin.map(({ name }) => name))}` +
        ` (smallest ${thinnest === undefined ? '' : Math.round(least(thinnest))}): means and quantiles are imprecise, R-hat is not reliable`,
      remedy: 'make more draws; if ESS grows much more slowly than their number, reparametrise',
      quantities: thin.map(({ name }) => name),
    }),
  ];
}

/** Where divergences gather, if they are enough to tell and one quantity tells. */
function place({ count, contrasts: [first] }: Divergences): string {
  if (first === undefined || count < ENOUGH || Math.abs(first.rank - 0.5) < TELLING) return '';
  const { name, rank, divergent, others } = first;
  return `, mostly where ${name} is ${rank < 0.5 ? 'small' : 'large'} (median ${short(divergent)}, elsewhere ${short(others)})`;
}

function aboutSampler(draws: Draws): SummaryWarning[] {
  const warnings: SummaryWarning[] = [];
  const diverged = divergences(draws);
  if (diverged.count > 0) {
    warnings.push({
      kind: 'divergences',
      message: `${diverged.count} of ${draws.chains * draws.length} draws (${percent(diverged.share)}) came from divergent transitions${place(diverged)}: parts of the target are missed`,
      remedy: 'raise targetAcceptance (0.95, 0.99) for smaller steps; if some remain, reparametrise (non-centred for hierarchical models)',
    });
  }
  const hits = treeDepthHits(draws);
  if (hits.count > 0) {
    warnings.push({
      kind: 'tree depth',
      message: `${hits.count} of ${draws.chains * draws.length} draws (${percent(hits.share)}) came from trajectories cut at the largest tree depth: they are correct but expensive`,
      remedy: 'raise maxDepth, rescale or decorrelate parameters, or use a dense metric',
    });
  }
  const low = ebfmi(statisticOf(draws, 'energy') ?? [new Float64Array(0)]).flatMap((value, chain) =>
    value < LOWEST_EBFMI ? [`${chain} (${value.toPrecision(2)})`] : [],
  );
  if (low.length > 0) {
    warnings.push({
      kind: 'energy',
      message: `E-BFMI is below ${LOWEST_EBFMI} in chain ${low.join(', ')}: the sampler moves slowly between energies, and tails are explored badly`,
      remedy: 'run a longer warm-up, or reparametrise so that tails are lighter',
    });
  }
  return warnings;
}

const aboutInterruption = ({ interrupted, length }: Draws): SummaryWarning[] =>
  interrupted
    ? [
        {
          kind: 'interrupted',
          message: `the run was stopped after ${length} draws per chain`,
          remedy: 'start it again with its checkpoint for the rest',
        },
      ]
    : [];

/** All that is doubtful about these rows, and about how a sampler made them if it is known. */
export const summaryWarnings = (rows: readonly SummaryRow[], chains: number, draws: Draws | undefined): SummaryWarning[] => [
  ...(draws === undefined ? [] : aboutInterruption(draws)),
  ...aboutRows(rows, chains),
  ...(draws === undefined ? [] : aboutSampler(draws)),
];
