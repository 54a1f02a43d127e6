export { betaCdf, betaQuantile } from './beta-quantile.js';
export {
  type DivergenceContrast,
  type DivergenceLocation,
  type Divergences,
  divergences,
} from './divergences.js';
export { type Flagged, treeDepthHits } from './draw-statistics.js';
export { ebfmi } from './energy.js';
export { essBulk, essMean, essQuantile, essSd, essTail } from './ess.js';
export { mcseMean, mcseQuantile, mcseSd } from './mcse.js';
export { nestedRhat } from './nested-rhat.js';
export { type Psis, type PsisOptions, psis } from './psis.js';
export { type PsisLoo, type PsisLooOptions, psisLoo } from './psis-loo.js';
export { rhat } from './rhat.js';
export { kernelisedSteinDiscrepancy, type SteinDiscrepancy, type SteinKernel, type SteinOptions } from './stein-discrepancy.js';
export { type Summarised, type Summary, type SummaryData, type SummaryOptions, summary } from './summary.js';
export type { SummaryRow } from './summary-row.js';
export type { SummaryWarning } from './summary-warnings.js';
